"""What the reader of a report must know before the figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from embft.corpus.context import ContextChoice, UntriedTitles, titles_differ
from embft.evaluation.figures import Askings
from embft.evaluation.names import NOT_FROM_PASSAGES
from embft.evaluation.realism import realism_warnings
from embft.results import Corpus, DatasetReport, Note
from embft.retrieval.approximate import IndexFacts
from embft.training.report import TrainingReport


def notes_of(data: DatasetReport, training: TrainingReport | None, warnings_of_stages: Iterable[str]) -> list[Note]:
    """Warnings first, then what was left out.

    Args:
        training: None where nothing was tuned.
        warnings_of_stages: What other stages found out: about the documents, the model, the ranking.
    """
    warnings = [*_made_questions(data.origins["test"]), *warnings_of_stages, *data.warnings]
    if training is not None and training.kept_base:
        warnings.append(
            "On the dev questions the fine-tune did harm, so the base model was kept: tuned is base. Train on questions that "
            "are more like the real ones (questions=openai questions.prompt=search), or lower training.learning_rate."
        )
    warnings += realism_warnings(data.realism)
    left_out = [Note("info", f"{count} {reason} were left out.") for reason, count in data.left_out.items()]
    return [*(Note("warning", text) for text in warnings), *left_out]


def log_notes(askings: Askings | None) -> list[Note]:
    """How often the test questions were asked, and whether that counts."""
    if askings is None:
        return []
    if askings.weights == "none":
        return [
            Note(
                "info",
                f"The {askings.questions:,} test questions were asked {askings.askings:,} times, and each counts once here; "
                "evaluation.weights=count weighs each by its askings.",
            )
        ]
    return [
        Note(
            "info",
            f"The {askings.questions:,} test questions were asked {askings.askings:,} times, and each counts as often in all "
            "means, intervals and comparisons; wins, losses and ties count questions. So weighted they are worth "
            f"{askings.worth:,.0f} questions that are asked equally often.",
        )
    ]


def title_notes(
    context: str, corpus: Corpus | None, data: DatasetReport, choice: ContextChoice | UntriedTitles | None
) -> list[Note]:
    """What dev said of titles; or that they were not tried, where people asked about documents that titles tell apart.

    Args:
        context: The setting ``corpus.context``.
        corpus: None where there are no documents.
        choice: None where the settings say what stands there.
    """
    if choice is not None:
        return [Note("info", choice.sentence)]
    if context != "none" or corpus is None or not titles_differ(corpus.pages):
        return []
    if not NOT_FROM_PASSAGES.intersection(data.origins["test"]):
        return []
    return [
        Note(
            "info",
            "Not tried here: each chunk behind its document's title, which gains much in some collections and loses in others. "
            "corpus.context=auto tries it on the dev questions.",
        )
    ]


def index_notes(index: Mapping[str, IndexFacts]) -> list[Note]:
    """What the approximate index of each system is worth."""
    notes = []
    for system, facts in index.items():
        recall = " and ".join(f"{share:.1%} of the first {depth} chunks" for depth, share in facts.recall.items())
        notes.append(
            f"{system} is searched by an approximate index ({facts.kind}, {facts.vectors:,} vectors, "
            f"{facts.bytes / 1e6:,.1f} MB, built in {facts.build_seconds:,.1f} s), and all its figures are those of this search. "
            f"Of an exact search it finds {recall} ({facts.questions:,} questions), in {facts.query_ms:.2f} ms a question in "
            f"place of {facts.exact_ms:.2f} ms."
        )
    return [Note("info", text) for text in notes]


def _made_questions(origins: Mapping[str, int]) -> list[str]:
    from_passages = {origin: count for origin, count in origins.items() if origin not in NOT_FROM_PASSAGES}
    if not from_passages:
        return []
    return [
        f"{sum(from_passages.values())} of {sum(origins.values())} test questions were made from the passages themselves "
        f"({', '.join(sorted(from_passages))}). Such questions repeat the passage's words and flatter BM25; real ones do not. "
        "Give questions that people asked: questions.human=FILE."
    ]
