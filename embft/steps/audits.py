"""Audits of the dataset for this model, before anything is spent on training: stage ``audits``.

Its time counts as the stage ``dataset``'s: the names of stages are the contract's.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embft.config import ModelConfig
from embft.dataset.findings import Finding
from embft.dataset.leaks import leak_findings, same_page_findings
from embft.dataset.question_audits import (
    copy_findings,
    dependent_findings,
    language_findings,
    prompt_findings,
    repeat_findings,
    unanswerable_findings,
)
from embft.dataset.traits import Trait, traits_of
from embft.dataset.truncation import hidden_evidence, sights_of, truncation_findings
from embft.errors import DatasetError
from embft.evaluation.power import Power, power_of
from embft.evaluation.significance import groups_of
from embft.files import read_json, write_json
from embft.retrieval.embedder import Embedder
from embft.stages import StageCache, StageResult
from embft.steps.corpus import Corpus
from embft.steps.dataset import Dataset

logger = logging.getLogger(__name__)

AUDITS = (
    "leaks", "near_copies", "repeated_questions", "passage_dependent", "unanswerable", "language", "prompts", "truncation",
)  # fmt: skip
_SHOWN = 120
"""Characters of a text in an error."""


@dataclass(frozen=True)
class Audits:
    """What the stage gives.

    Attributes:
        findings: What was found, worst first.
        clean: Names of the audits that found nothing.
        power: What differences this test set can tell.
        traits: Test question id to what is known of it.
    """

    findings: list[Finding]
    clean: list[str]
    power: Power
    traits: dict[str, dict[str, Trait]]

    def describe(self) -> dict[str, Any]:
        """For metrics.json."""
        return {
            "findings": [asdict(finding) for finding in self.findings],
            "clean": self.clean,
            "power": asdict(self.power),
        }


def audit_dataset(
    stages: StageCache,
    model: ModelConfig,
    dataset: StageResult[Dataset],
    corpus: StageResult[Corpus] | None,
    unmapped: Sequence[Mapping[str, str]],
    base: Embedder,
    confidence: float,
) -> StageResult[Audits]:
    """Audits the dataset; says at once what it can tell. Nothing is refused here: see `refuse_leaks`."""

    def build(folder: Path, scratch: Path) -> None:
        splits = dataset.value.splits
        searched = splits.searched("test")
        encoder = base.encoder
        limit = encoder.usable_tokens() if base.retrieval.mode == "truncate" else None
        # Where nothing is cut, only the chunks that are asked about need be looked at.
        asked = {key: searched.corpus[key] for ids in searched.relevant_docs.values() for key in ids}
        looked_at = searched.corpus if limit else asked
        sights = sights_of(
            looked_at, encoder.token_spans, encoder.read_ends(list(looked_at.values())) if limit else None
        )
        hidden = hidden_evidence(searched, sights)
        places = {chunk.id: (chunk.document, chunk.page) for chunk in corpus.value.chunks} if corpus else {}
        findings = [
            *leak_findings(splits),
            *same_page_findings(splits, places),
            *(truncation_findings(searched, sights, hidden) if limit else ()),
            *copy_findings(splits),
            *repeat_findings(splits),
            *dependent_findings(splits),
            *unanswerable_findings(splits, unmapped),
            *language_findings(splits, model.language),
            *prompt_findings(encoder.name, encoder.query_prompt, encoder.document_prompt),
        ]
        order = ("blocking", "warning", "info")
        groups = groups_of(list(splits.test.queries), splits.test.relevant_docs)
        write_json(
            folder / "audits.json",
            {
                "findings": [asdict(found) for found in sorted(findings, key=lambda found: order.index(found.level))],
                "clean": [name for name in AUDITS if name not in {found.audit for found in findings}],
                "power": asdict(power_of(groups, confidence)),
                "traits": traits_of(searched, sights, hidden, splits.origins, places),
            },
        )

    def load(folder: Path) -> Audits:
        content = read_json(folder / "audits.json")
        return Audits(
            [Finding(**found) for found in content["findings"]],
            content["clean"],
            Power(**content["power"]),
            content["traits"],
        )

    retrieval = base.retrieval
    return stages.run(
        "audits",
        settings={
            "mode": retrieval.mode,
            "language": model.language,
            "model": base.encoder.name,
            "confidence": confidence,
            "unmapped": [row["question"] for row in unmapped],
            **base.encoder.settings,
        },
        inputs=[dataset.key, corpus.key if corpus else "", base.encoder.fingerprint],
        code=(
            "embft.dataset",
            "embft.text.tokens",
            "embft.text.passage_dependence",
            "embft.evaluation.power",
            "embft.steps.audits",
        ),
        build=build,
        load=load,
    )


def refuse_leaks(audits: Audits, allowed: bool) -> None:
    """Stops the run where train questions give test questions away, unless that is allowed.

    Raises:
        DatasetError: With the count, examples and what to change.
    """
    leaks = [found for found in audits.findings if found.level == "blocking"]
    if not leaks:
        return
    if allowed:
        for found in leaks:
            logger.warning("%s Allowed by dataset.leaks=allow.", found.text)
        return
    lines = [
        line
        for found in leaks
        for line in (
            found.text,
            *(f"  - {'; '.join(f'{label}: {text[:_SHOWN]}' for label, text in e.items())}" for e in found.examples[:3]),
            found.remedy,
        )
    ]
    raise DatasetError("\n".join(lines))


def say_audits(audits: Audits) -> None:
    """Logs, before anything is spent, what this test set can tell."""
    power = audits.power
    logger.info(
        "%d test questions about %d groups of chunks can tell differences of about %.1f points between similar systems "
        "and %.1f between unlike ones.",
        power.questions,
        power.chunks,
        100 * power.similar,
        100 * power.unlike,
    )
