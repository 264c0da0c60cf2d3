"""Stage ``ranking``: every system orders the chunks for the dev and test questions."""

from __future__ import annotations

from pathlib import Path

from embft import typed_json
from embft.evaluation.names import NOT_FROM_PASSAGES
from embft.files import read_json, write_json
from embft.ranking.bench import Bench, Fusion
from embft.ranking.reranking import Reranking
from embft.ranking.weak_index import low_recall
from embft.records import Ranking, RetrievalDataset, Splits
from embft.results import Dataset, Rankings, Tuned
from embft.retrieval.approximate import IndexWorth
from embft.retrieval.ranking_files import ENDING, read_ranking, write_ranking
from embft.retrieval.rerankers import reranker_of
from embft.stages import StageResult
from embft.steps.keys import settings_of
from embft.steps.training import tuned_embedder
from embft.steps.workspace import Lab

SEARCHED = ("dev", "test")
_CUT_OUT = "extractive"
UNLIKE = (
    "Dev questions are cut out of the passages that answer them, and test questions are not: what finds the ones says little "
    "about the others, so dev chooses no weight."
)


KEPT_BASE = (
    "No train or dev question was given, as the test's were, so nothing says that the tuned model serves the fusion better than "
    "base: the fusion has base in it."
)


def rank_systems(lab: Lab, dataset: StageResult[Dataset], tuned: StageResult[Tuned] | None) -> StageResult[Rankings]:
    """Ranks dev and test with every system of the configuration, and chooses the fusion's weight on dev.

    Args:
        tuned: None where nothing was tuned.
    """
    config = lab.config.evaluation
    inputs = [
        dataset.key,
        lab.base.encoder.fingerprint,
        tuned.value.fingerprint if tuned else "untuned",
        # A folder of the same name may hold another cross-encoder tomorrow.
        *([reranker_of(config.reranker, lab.base).identity] if "reranked" in config.systems else ()),
    ]

    def build(folder: Path, scratch: Path) -> None:
        splits = dataset.value.splits
        searched = {split: splits.searched(split) for split in SEARCHED if getattr(splits, split).queries}
        tuned_model = tuned_embedder(lab.base, tuned.value) if tuned else None
        chooses, fuses_base = dev_tells(splits), not tuning_tells(splits)
        bench = Bench(lab.base.retrieval, config, searched, lab.base, tuned_model, chooses, fuses_base)
        if lab.rankers is not None:
            bench.elsewhere = lab.rankers([*inputs, settings_of("ranking", lab.config)])
        if "dev" in searched and not chooses:
            bench.notes.append(UNLIKE)
        if fuses_base and tuned is not None and {"fused", "reranked"} & set(config.systems):
            bench.notes.append(KEPT_BASE)
        for split in searched:
            for system in config.systems:
                for score_name, ranking in bench.rank(system, split).items():
                    write_ranking(folder / f"{split}.{system}.{score_name}{ENDING}", ranking)
            bench.let_go(split)
        if bench.fusion is not None:
            typed_json.save(folder / "fusion.json", bench.fusion)
        if bench.reranking is not None:
            typed_json.save(folder / "reranking.json", bench.reranking)
        if bench.retrieval.index == "faiss" and "test" in searched:
            facts = bench.index_facts("test")
            typed_json.save(folder / "index.json", IndexWorth(facts))
            bench.notes.extend(low_recall(facts))
        write_json(folder / "notes.json", list(dict.fromkeys(bench.notes)))

    def load(folder: Path) -> Rankings:
        by_split: dict[str, dict[str, dict[str, Ranking]]] = {split: {} for split in SEARCHED}
        order = {system: place for place, system in enumerate(config.systems)}
        files = list(folder.glob(f"*.*.*{ENDING}"))
        for path in sorted(files, key=lambda path: (order[path.name.split(".")[1]], path.name)):
            split, system, score_name, _ = path.name.split(".")
            by_split[split].setdefault(system, {})[score_name] = read_ranking(path, system, score_name)
        fusion, reranking, index = (folder / f"{name}.json" for name in ("fusion", "reranking", "index"))
        return Rankings(
            by_split,
            typed_json.load(Fusion, fusion) if fusion.is_file() else None,
            read_json(folder / "notes.json"),
            typed_json.load(Reranking, reranking) if reranking.is_file() else None,
            typed_json.load(IndexWorth, index).systems if index.is_file() else {},
        )

    return lab.run(
        "ranking",
        build,
        load,
        inputs=inputs,
    )


def dev_tells(splits: Splits) -> bool:
    """Whether dev says how to mix systems for test.

    Questions that are cut out of a passage share its words: the more of them dev has, the less of the vectors the mix gets
    (docs/decisions.md). They tell of test questions of their own kind alone.
    """
    on_dev, on_test = ([splits.origins.get(key) for key in part.queries] for part in (splits.dev, splits.test))
    return any(origin != _CUT_OUT for origin in on_dev) or 2 * on_test.count(_CUT_OUT) >= len(on_test)


def tuning_tells(splits: Splits) -> bool:
    """Whether anything says that the tuned model is better in a mix than base.

    Tuned on what embft cut out of documents, without a question that people asked, a model got worse on three of five corpora of
    people's questions, and its mix with BM25 on four (docs/decisions.md).
    """

    def asked(part: RetrievalDataset) -> int:
        return sum(splits.origins.get(key) in NOT_FROM_PASSAGES for key in part.queries)

    by_people = 2 * asked(splits.test) > len(splits.test.queries)
    return not by_people or asked(splits.train) > 0 or dev_tells(splits)


def check_reranker(lab: Lab) -> None:
    """Sees to it that the reranker can be asked, before documents are read and questions paid for.

    Raises:
        EmbftError: It is not available, or it is none.
    """
    if "reranked" in lab.config.evaluation.systems:
        reranker_of(lab.config.evaluation.reranker, lab.base).check()
