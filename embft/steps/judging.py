"""Stage ``judging``: the first chunks of every system get a grade where the dataset has none."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from embft import typed_json
from embft.evaluation.scoring import main_ranking
from embft.files import digest, file_digest
from embft.judging.agreement import agreement_of, favours, judge_of_systems
from embft.judging.asking import Asked, ask_judge, estimate_judge
from embft.judging.judgements import Judged, Judgement, JudgingReport, Pair, Pool, label_of
from embft.judging.people import read_people
from embft.judging.prompt import texts
from embft.questions.budget import in_words
from embft.questions.local_llm import find_weights
from embft.records import Ranking, RetrievalDataset
from embft.results import Dataset, Rankings
from embft.stages import StageResult
from embft.steps.attempts import complete
from embft.steps.workspace import Lab

LLM = "llm"


def judge_pool(lab: Lab, dataset: StageResult[Dataset], rankings: StageResult[Rankings]) -> StageResult[Judged]:
    """Grades the pool by an LLM, or takes people's grades from a file.

    Where requests failed at an earlier start, they are made once more, the others never.

    Raises:
        EmbftError: The LLM cannot be asked, the budget is spent, or the file holds no judgements of this dataset.
    """
    who, config = lab.config.evaluation.judge, lab.config.evaluation.judging
    searched, by_system = _searched(dataset), _main(rankings)

    def build(folder: Path, scratch: Path) -> None:
        judged = (
            _by_llm(lab, searched, by_system)
            if who == LLM
            else _by_people(lab, Path(who).expanduser(), searched, by_system)
        )
        typed_json.save(folder / "judged.json", judged)

    def attempt(number: int) -> StageResult[Judged]:
        return lab.run(
            "judging",
            build,
            lambda folder: typed_json.load(Judged, folder / "judged.json"),
            inputs=[dataset.key, rankings.key],
            values={
                "judge": LLM if who == LLM else file_digest(Path(who).expanduser()),
                "prompts": digest([texts()["en"], texts()["zh"]]) if who == LLM else None,
                "weights": file_digest(find_weights(config.model, "evaluation.judging"))
                if who == LLM and config.backend == "local_llm"
                else None,
                "seed": lab.seed,
                "attempt": number,
            },
        )

    return complete(attempt, lambda value: value.report.failed, lambda value: value.judgements)


def estimate_judging(lab: Lab, dataset: StageResult[Dataset], rankings: StageResult[Rankings]) -> str:
    """What judging would take, in words."""
    config, searched = lab.config.evaluation.judging, _searched(dataset)
    if lab.config.evaluation.judge != LLM:
        return "Judgements come from a file: judging asks no LLM and costs nothing."
    pool = Pool.of(_main(rankings), searched, config.first)
    checked, _ = _checked(pool, searched, config.check, lab.seed)
    pairs = list(dict.fromkeys([*pool.unjudged, *checked]))
    estimate = estimate_judge(pairs, searched, config, lab.cache_dir, lab.seed)
    head = (
        f"Judging: {len(pool.unjudged):,} of {len(pool.pairs):,} chunks in the pool have no judgement; {len(checked):,} more "
        "to judge the judge by."
    )
    return f"{head}\n{in_words(estimate)}"


def _searched(dataset: StageResult[Dataset]) -> RetrievalDataset:
    return dataset.value.splits.searched("test")


def _main(rankings: StageResult[Rankings]) -> dict[str, Ranking]:
    return {system: main_ranking(ranked) for system, ranked in rankings.value.by_split["test"].items()}


def _by_llm(lab: Lab, searched: RetrievalDataset, by_system: dict[str, Ranking]) -> Judged:
    config = lab.config.evaluation.judging
    pool = Pool.of(by_system, searched, config.first)
    checked, presumed = _checked(pool, searched, config.check, lab.seed)
    pairs = list(dict.fromkeys([*pool.unjudged, *checked]))
    asked = ask_judge(pairs, searched, config, lab.cache_dir, lab.seed, lab.machines)
    name = config.model
    judgements = [Judgement(pair.question_id, pair.chunk_id, grade, name) for pair, grade in asked.grades.items()]
    # Pairs that are presumed not relevant are graded to judge the judge by, and stay out of the pool.
    outside = presumed - set(pool.pairs)
    kept = [judgement for judgement in judgements if judgement.pair not in outside]
    labels = {pair: label_of(searched, pair) or 0 for pair in checked}
    report = _report(lab, pool, by_system, searched, {one.pair: one.grade for one in kept}, asked)
    agreement = agreement_of(labels, len(presumed & asked.grades.keys()), asked.grades, config.relevant_from)
    return Judged(kept, replace(report, judge=name, kind="llm", agreement=agreement))


def _by_people(lab: Lab, path: Path, searched: RetrievalDataset, by_system: dict[str, Ranking]) -> Judged:
    config, file = lab.config.evaluation.judging, read_people(path, searched)
    pool = Pool.of(by_system, searched, config.first)
    grades = {one.pair: one.grade for one in file.judgements}
    labels = {pair: label for pair in grades if (label := label_of(searched, pair)) is not None}
    report = _report(lab, pool, by_system, searched, grades, Asked(grades, 0, 0, 0, None))
    agreement = agreement_of(labels, 0, grades, config.relevant_from)
    return Judged(
        file.judgements, replace(report, judge=path.name, kind="people", agreement=agreement, notes=file.notes)
    )


def _report(
    lab: Lab,
    pool: Pool,
    by_system: dict[str, Ranking],
    searched: RetrievalDataset,
    grades: dict[Pair, int],
    asked: Asked,
) -> JudgingReport:
    config = lab.config.evaluation.judging
    systems = judge_of_systems(by_system, searched, grades, config.first, config.relevant_from)
    fresh = [grades[pair] for pair in pool.unjudged if pair in grades]
    return JudgingReport(
        judge="",
        kind="",
        first=config.first,
        relevant_from=config.relevant_from,
        pool=len(pool.pairs),
        unjudged=len(pool.unjudged),
        graded=len(fresh),
        relevant=sum(grade >= config.relevant_from for grade in fresh),
        failed=asked.failed,
        unread=asked.unread,
        tokens=asked.tokens,
        usd=asked.usd,
        agreement=None,
        systems=systems,
        favours=favours(systems),
    )


def _checked(pool: Pool, searched: RetrievalDataset, count: int, seed: int) -> tuple[list[Pair], set[Pair]]:
    """Labelled pairs to judge the judge by, half of them relevant, those of the pool first; and those that are presumed.

    Most datasets name relevant chunks alone. Then chunks drawn at random stand for those that are not relevant.
    """
    draw = random.Random(seed)
    relevant = [
        Pair(key, chunk) for key, ids in searched.relevant_docs.items() for chunk in ids if chunk in searched.corpus
    ]
    others = [
        Pair(key, chunk) for key, ids in searched.not_relevant.items() for chunk in ids if chunk in searched.corpus
    ]
    chosen = []
    for pairs, wanted in ((relevant, count - count // 2), (others, count // 2)):
        shuffled = draw.sample(pairs, len(pairs))
        chosen += sorted(shuffled, key=lambda pair: pair not in pool.labelled)[:wanted]
    missing = count // 2 - sum(label_of(searched, pair) == 0 for pair in chosen)
    presumed: set[Pair] = set()
    questions, chunks, pooled = list(searched.queries), list(searched.corpus), set(pool.pairs)
    for _ in range(20 * max(0, missing)):
        if len(presumed) == missing:
            break
        pair = Pair(draw.choice(questions), draw.choice(chunks))
        if pair not in pooled and label_of(searched, pair) is None:
            presumed.add(pair)
    return [*chosen, *sorted(presumed)], presumed
