"""Stage ``audits``: the dataset is audited for this model, before anything is spent on training.

Its time counts as the stage ``dataset``'s: the names of stages are the contract's.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path

from embft import typed_json
from embft.dataset.findings import Finding
from embft.dataset.leaks import leak_findings, same_page_findings
from embft.dataset.question_audits import (
    copy_findings,
    dependent_findings,
    language_findings,
    prompt_findings,
    quote_findings,
    repeat_findings,
    unanswerable_findings,
)
from embft.dataset.traits import traits_of
from embft.dataset.truncation import hidden_evidence, sights_of, truncation_findings
from embft.embedded_text import prefix_of
from embft.errors import DatasetError
from embft.evaluation.dependence import Dependence
from embft.evaluation.power import power_of
from embft.models.text_encoder import TextEncoder
from embft.records import RetrievalDataset
from embft.results import Asked, Audits, Corpus, Dataset
from embft.stages import StageResult
from embft.steps.workspace import Lab

logger = logging.getLogger(__name__)

AUDITS = (
    "leaks", "near_copies", "repeated_questions", "passage_dependent", "unanswerable", "language", "prompts", "truncation",
)  # fmt: skip
_LEVELS = ("blocking", "warning", "info")
_SHOWN = 120
"""Characters of a text in an error."""


def audit_dataset(
    lab: Lab,
    dataset: StageResult[Dataset],
    corpus: StageResult[Corpus] | None,
    asked: StageResult[Asked] | None,
) -> StageResult[Audits]:
    """Audits the dataset. Nothing is refused here: see `refuse_leaks`."""
    base, language, confidence = lab.base, lab.config.model.language, lab.config.evaluation.confidence
    unmapped = [asdict(row) for row in asked.value.unmapped] if asked else []
    quotes = asked.value.report.get("quotes") if asked else None

    def build(folder: Path, scratch: Path) -> None:
        splits = dataset.value.splits
        searched = splits.searched("test")
        encoder = base.encoder
        limit = encoder.usable_tokens() if base.retrieval.mode == "truncate" else None
        # Where nothing is cut, only the relevant chunks are looked at.
        relevant = {key: searched.corpus[key] for ids in searched.relevant_docs.values() for key in ids}
        looked_at = searched.corpus if limit else relevant
        sights = sights_of(looked_at, encoder.token_spans, _read_ends(searched, encoder) if limit else None)
        hidden = hidden_evidence(searched, sights)
        places = {chunk.id: (chunk.document, chunk.page) for chunk in corpus.value.chunks} if corpus else {}
        findings: list[Finding] = [
            *leak_findings(splits),
            *same_page_findings(splits, places),
            *(truncation_findings(searched, sights, hidden) if limit else ()),
            *copy_findings(splits),
            *repeat_findings(splits),
            *dependent_findings(splits),
            *unanswerable_findings(splits, unmapped),
            *quote_findings(quotes),
            *language_findings(splits, language),
            *prompt_findings(encoder.name, encoder.query_prompt, encoder.document_prompt),
        ]
        names = {finding.audit for finding in findings}
        dependence = Dependence.of(list(splits.test.queries), splits.test.relevant_docs)
        typed_json.save(
            folder / "audits.json",
            Audits(
                findings=sorted(findings, key=lambda finding: _LEVELS.index(finding.level)),
                clean=[name for name in AUDITS if name not in names],
                power=power_of(dependence, confidence),
                traits=traits_of(searched, sights, hidden, splits.origins, places),
            ),
        )

    return lab.run(
        "audits",
        build,
        lambda folder: typed_json.load(Audits, folder / "audits.json"),
        inputs=[dataset.key, corpus.key if corpus else "", base.encoder.fingerprint],
        values={"model": base.encoder.name, "confidence": confidence, "unmapped": unmapped, "quotes": quotes},
    )


def _read_ends(searched: RetrievalDataset, encoder: TextEncoder) -> list[int]:
    """Characters of each chunk's own text that the model reads behind its context."""
    indexed = searched.indexed
    ends = encoder.read_ends(list(indexed.values()))
    return [max(0, end - len(prefix_of(indexed.context(key)))) for key, end in zip(indexed, ends, strict=True)]


def refuse_leaks(audits: Audits, allowed: bool) -> None:
    """Stops the run where train questions give test questions away, unless that is allowed.

    Raises:
        DatasetError: With the count, examples and what to change.
    """
    leaks = [finding for finding in audits.findings if finding.level == "blocking"]
    if not leaks:
        return
    if allowed:
        for finding in leaks:
            logger.warning("%s Allowed by dataset.leaks=allow.", finding.text)
        return
    lines = [
        line
        for finding in leaks
        for line in (
            finding.text,
            *(
                f"  - {'; '.join(f'{label}: {text[:_SHOWN]}' for label, text in example.items())}"
                for example in finding.examples[:3]
            ),
            finding.remedy,
        )
    ]
    raise DatasetError("\n".join(lines))


def log_power(audits: Audits) -> None:
    """Logs, before anything is spent, what this test set can show."""
    power = audits.power
    logger.info(
        "%d test questions about %d chunks, worth about %.0f independent ones, can show differences of about %.1f points "
        "between similar systems and %.1f between unlike ones.",
        power.questions,
        power.chunks,
        power.effective,
        100 * power.similar,
        100 * power.unlike,
    )
