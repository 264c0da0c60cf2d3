"""What tuning costs elsewhere: base and tuned on another dataset, stage ``general``.

Its time counts as the stage ``evaluation``'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from embft import typed_json
from embft.dataset.beir import read_beir, splits_of
from embft.dataset.formats import read_llama_index
from embft.dataset.validation import validate
from embft.errors import DatasetError
from embft.evaluation.comparing import compare_by
from embft.evaluation.dependence import Dependence
from embft.evaluation.metrics import PerQuestion
from embft.evaluation.scoring import Statistics, means_of, scores_of
from embft.files import digest, file_digest
from embft.records import RetrievalDataset
from embft.results import General, SystemResult, Tuned
from embft.retrieval.embedder import Embedder
from embft.retrieval.excluding import excluding, without_excluded
from embft.retrieval.scoring import rank
from embft.stages import StageResult
from embft.steps.training import tuned_embedder
from embft.steps.workspace import Lab

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
    every = splits_of(path)
    judgements = next((every[split] for split in _SPLITS if split in every), None)
    if judgements and (path / "corpus.jsonl").is_file() and (path / "queries.jsonl").is_file():
        return [path / "corpus.jsonl", path / "queries.jsonl", judgements]
    raise DatasetError(
        f"evaluation.general={name} is no dataset: give a BEIR folder (corpus.jsonl, queries.jsonl, qrels/test.tsv), a run's "
        f"folder, or a dataset file with queries, corpus and relevant_docs. Paths are relative to {Path.cwd()}."
    )


def measure_general(lab: Lab, tuned: StageResult[Tuned] | None) -> General | None:
    """Base against tuned on ``evaluation.general``; None where it is not set or nothing was tuned."""
    config = lab.config.evaluation
    if config.general is None or tuned is None:
        return None
    name, files = config.general, check_general(config.general)
    trained = tuned.value

    def build(folder: Path, scratch: Path) -> None:
        dataset = _read(files)
        statistics = Statistics(config, Dependence.of(list(dataset.queries), dataset.relevant_docs), lab.seed)
        scores = {
            system: _scores(embedder, system, dataset, config.relevant_from)
            for system, embedder in (("base", lab.base), ("tuned", tuned_embedder(lab.base, trained)))
        }
        typed_json.save(
            folder / "general.json",
            General(
                name=name,
                questions=len(dataset.queries),
                chunks=len(dataset.corpus),
                systems={
                    system: SystemResult(means_of(values, config.metrics), statistics.intervals(values), "cosine")
                    for system, values in scores.items()
                },
                comparisons=[compare_by(metric, scores, "tuned", "base", statistics) for metric in config.metrics],
            ),
        )

    result = lab.run(
        "general",
        build,
        lambda folder: typed_json.load(General, folder / "general.json"),
        inputs=[digest([file_digest(file) for file in files]), lab.base.encoder.fingerprint, trained.fingerprint],
        values={"seed": lab.seed},
    )
    return replace(result.value, name=name)


def _read(files: Sequence[Path]) -> RetrievalDataset:
    dataset = read_llama_index(files[0]) if len(files) == 1 else read_beir(files[0].parent, files[2].stem)
    problems = validate(dataset, "evaluation.general").fatal
    if problems:
        raise DatasetError("\n".join(problems))
    # Sorted, so that the order of a file never decides a tie.
    return replace(dataset, corpus=dict(sorted(dataset.corpus.items())))


def _scores(embedder: Embedder, system: str, dataset: RetrievalDataset, relevant_from: int) -> PerQuestion:
    ranking = rank(
        excluding(embedder.scorers(dataset)["cosine"], dataset),
        list(dataset.queries),
        list(dataset.corpus),
        system=system,
        score_name="cosine",
        depth=embedder.retrieval.depth,
    )
    return scores_of(without_excluded(ranking, dataset), dataset, relevant_from)
