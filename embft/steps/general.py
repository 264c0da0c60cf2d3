"""What tuning costs elsewhere: base and tuned on another dataset, stage ``general``.

Its time counts as the stage ``evaluation``'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from embft.config import EvaluationConfig
from embft.dataset.formats import read_beir, read_llama_index
from embft.dataset.validation import validate
from embft.errors import DatasetError
from embft.evaluation.metrics import dataset_scores
from embft.evaluation.significance import compare, groups_of, mean_interval, steady_resamples
from embft.files import digest, file_digest, read_json, write_json
from embft.records import RetrievalDataset
from embft.retrieval.embedder import Embedder
from embft.retrieval.excluding import excluding, without_excluded
from embft.retrieval.scoring import rank
from embft.stages import StageCache, StageResult
from embft.steps.training import Tuned, tuned_embedder

_SPLITS = ("test", "dev", "train")


def check_general(name: str) -> list[Path]:
    """The files that ``evaluation.general`` means: known before anything is spent.

    Raises:
        DatasetError: It is neither a BEIR folder, nor a run's or its dataset folder, nor a dataset file.
    """
    path = Path(name).expanduser()
    if path.is_file():
        return [path]
    for file in (path / "test.json", path / "dataset" / "test.json"):
        if file.is_file():
            return [file]
    judgements = [path / "qrels" / f"{split}.tsv" for split in _SPLITS]
    found = next((file for file in judgements if file.is_file()), None)
    if found and (path / "corpus.jsonl").is_file() and (path / "queries.jsonl").is_file():
        return [path / "corpus.jsonl", path / "queries.jsonl", found]
    raise DatasetError(
        f"evaluation.general={name} is no dataset: give a BEIR folder (corpus.jsonl, queries.jsonl, qrels/test.tsv), a run's "
        f"folder, or a dataset file with queries, corpus and relevant_docs. Paths are relative to {Path.cwd()}."
    )


def measure_general(
    stages: StageCache, config: EvaluationConfig, base: Embedder, tuned: StageResult[Tuned] | None, seed: int
) -> dict[str, Any] | None:
    """Base against tuned on ``evaluation.general``; None where it is not set or nothing was tuned.

    Returns:
        ``name``, ``questions``, ``chunks``, ``systems`` (means and intervals) and ``comparisons``, as in metrics.json.
    """
    if config.general is None or tuned is None:
        return None
    files = check_general(config.general)
    trained = tuned.value

    def build(folder: Path, scratch: Path) -> None:
        dataset = _read(files)
        groups = groups_of(list(dataset.queries), dataset.relevant_docs)
        draws = steady_resamples(config.resamples, groups)
        scores = {
            name: _scores(embedder, name, dataset)
            for name, embedder in (("base", base), ("tuned", tuned_embedder(base, trained)))
        }
        comparisons = [
            compare(
                scores["tuned"][metric],
                scores["base"][metric],
                groups,
                draws,
                config.confidence,
                seed,
                flips=config.resamples,
            ).row("tuned", "base", metric)
            for metric in config.metrics
        ]
        systems = {
            name: {
                **{metric: float(values[metric].mean()) for metric in config.metrics},
                "intervals": {
                    metric: list(mean_interval(values[metric], groups, draws, config.confidence, seed))
                    for metric in config.metrics
                },
            }
            for name, values in scores.items()
        }
        write_json(
            folder / "general.json",
            {
                "questions": len(dataset.queries),
                "chunks": len(dataset.corpus),
                "systems": systems,
                "comparisons": comparisons,
            },
        )

    found = stages.run(
        "general",
        settings={
            "mode": [base.retrieval.mode, base.retrieval.late_interaction],
            "windows": [base.retrieval.window_tokens, base.retrieval.window_overlap],
            "metrics": config.metrics,
            "resamples": config.resamples,
            "confidence": config.confidence,
            "seed": seed,
            **base.encoder.settings,
        },
        inputs=[digest([file_digest(file) for file in files]), base.encoder.fingerprint, trained.fingerprint],
        code=("embft.evaluation", "embft.retrieval", "embft.steps.general"),
        build=build,
        load=lambda folder: read_json(folder / "general.json"),
    ).value
    return {"name": config.general, **found}


def _read(files: Sequence[Path]) -> RetrievalDataset:
    dataset = read_llama_index(files[0]) if len(files) == 1 else read_beir(files[0].parent, files[2].stem)
    problems = validate(dataset, "evaluation.general").fatal
    if problems:
        raise DatasetError("\n".join(problems))
    # Sorted, so that the order of a file never decides a tie.
    return replace(dataset, corpus=dict(sorted(dataset.corpus.items())))


def _scores(embedder: Embedder, system: str, dataset: RetrievalDataset) -> dict[str, Any]:
    question_ids = list(dataset.queries)
    ranking = rank(
        excluding(embedder.scorers(dataset)["cosine"], dataset),
        question_ids,
        list(dataset.corpus),
        system=system,
        score_name="cosine",
        depth=embedder.retrieval.depth,
    )
    return dataset_scores(without_excluded(ranking, dataset), dataset)
