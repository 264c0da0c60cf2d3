"""Stage ``evaluation``: rankings to metrics, intervals and comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from embft import typed_json
from embft.evaluation.answers import Around, HandedOver
from embft.evaluation.comparing import comparisons, pairs_for_slices, question_rows
from embft.evaluation.dependence import Dependence
from embft.evaluation.figures import Askings, PooledFigures, PooledReading, SystemResult
from embft.evaluation.scoring import Statistics, all_metrics, main_ranking, means_of, scores_of
from embft.evaluation.slices import slices
from embft.evaluation.weights import TRAIT, Weights, how_often
from embft.judging.judgements import Judged, judged_share, with_pool
from embft.records import Ranking, RetrievalDataset
from embft.results import Audits, Dataset, Evaluated, Rankings
from embft.stages import StageResult
from embft.steps.workspace import Lab


def evaluate(
    lab: Lab,
    dataset: StageResult[Dataset],
    audits: StageResult[Audits],
    rankings: StageResult[Rankings],
    around: Around | None = None,
    judged: StageResult[Judged] | None = None,
) -> StageResult[Evaluated]:
    """Scores every ranking question by question, then says what the means are worth; and again with the pool judged.

    Args:
        around: What is handed over around a found chunk (``retrieval.expand``).
        judged: Grades of chunks that the dataset says nothing of.
    """
    config, expand = lab.config.evaluation, lab.config.retrieval.expand

    def build(folder: Path, scratch: Path) -> None:
        splits = dataset.value.splits
        by_system, on_dev = rankings.value.by_split["test"], rankings.value.by_split["dev"]
        test = splits.test
        handed = {name: HandedOver(splits.searched(name).corpus, splits.evidence, around) for name in ("dev", "test")}
        scores = {
            system: scores_of(main_ranking(ranked), test, config.relevant_from, handed["test"])
            for system, ranked in by_system.items()
        }
        dev_scores = {
            system: scores_of(main_ranking(ranked), splits.dev, config.relevant_from, handed["dev"])
            for system, ranked in on_dev.items()
        }
        counts = [splits.counts.get(question_id, 1) for question_id in test.queries]
        weights, on_dev_weights = (
            Weights.of(list(part.queries), splits.counts, config.weights) for part in (test, splits.dev)
        )
        statistics = Statistics(config, Dependence.of(list(test.queries), test.relevant_docs), lab.seed, weights)
        on_dev_questions = Dependence.of(list(splits.dev.queries), splits.dev.relevant_docs) if on_dev else None
        dev_statistics = replace(
            statistics, dependence=on_dev_questions or statistics.dependence, weights=on_dev_weights
        )
        systems = {
            system: SystemResult(
                means=means_of(scores[system], weights=weights),
                intervals=statistics.intervals(scores[system]),
                score_name=main_ranking(ranked).score_name,
                dev=means_of(dev_scores[system], weights=on_dev_weights) if system in dev_scores else {},
                dev_intervals=dev_statistics.intervals(dev_scores[system]) if system in dev_scores else {},
                metrics=all_metrics(ranked, test, config.relevant_from, weights),
                judged=judged_share(main_ranking(ranked), test, config.judging.first),
            )
            for system, ranked in by_system.items()
        }
        by_trait = slices(
            {system: values[config.primary] for system, values in scores.items()},
            statistics.dependence,
            [
                {**audits.value.traits[question_id], **({TRAIT: part} if part else {})}
                for question_id, part in zip(test.queries, how_often(counts), strict=True)
            ],
            pairs_for_slices(list(scores)),
            confidence=config.confidence,
            weights=weights,
        )
        askings = Askings(len(counts), sum(counts), config.weights, round(weights.worth, 1))
        typed_json.save(
            folder / "evaluation.json",
            Evaluated(
                systems,
                comparisons(scores, statistics),
                by_trait,
                question_rows(by_system, scores, test, splits.origins, splits.counts),
                statistics.prospects(scores),
                askings if max(counts, default=1) > 1 else None,
                _with_pool(statistics, judged.value, by_system, test, handed["test"]) if judged else None,
            ),
        )

    return lab.run(
        "evaluation",
        build,
        lambda folder: typed_json.load(Evaluated, folder / "evaluation.json"),
        inputs=[dataset.key, audits.key, rankings.key, *([judged.key] if judged else ())],
        values={"seed": lab.seed, "expand": expand},
    )


def _with_pool(
    statistics: Statistics,
    judged: Judged,
    by_system: Mapping[str, Mapping[str, Ranking]],
    test: RetrievalDataset,
    handed: HandedOver,
) -> PooledReading:
    """The same with the judge's grades where the dataset has no label."""
    config = statistics.config
    pooled = with_pool(test, judged.grades, config.judging.relevant_from)
    scores = {
        system: scores_of(main_ranking(ranked), pooled, config.relevant_from, handed)
        for system, ranked in by_system.items()
    }
    statistics = replace(statistics, dependence=Dependence.of(list(pooled.queries), pooled.relevant_docs))
    return PooledReading(
        {
            system: PooledFigures(means_of(own, weights=statistics.weights), statistics.intervals(own))
            for system, own in scores.items()
        },
        [row for row in comparisons(scores, statistics) if row.metric == config.primary],
        statistics.prospects(scores),
    )
