"""Leaks: what training sees of the test.

A train question leaks where the chunk that it is about is a chunk that a test question is about, or nearly a copy of one
(Jaccard similarity of word triples of 0.7 or more; chunks of one 10-K that differ stay below 0.5, its certifications by
two officers reach 0.8 and 0.9), or where it asks in nearly the same words about a chunk that is close to the test's. A
chunk that is searched but not asked about is no secret, nor are chunks that share a sentence or two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from embft.dataset.findings import EXAMPLES, Finding, count_of, example
from embft.dataset.near_copies import near_copies
from embft.records import RetrievalDataset, Splits

COPY = 0.7
"""Jaccard similarity from which two chunks are near-copies."""
_RELATED = 0.4
_PARAPHRASE = 0.8
"""Share of words in common from which two questions are the same; half of the questions are shorter than 12 words."""
_FEWEST_WORDS = 4
_SHOWN = 100
"""Characters of a question in a sentence."""


@dataclass(frozen=True)
class Leak:
    """A train question that gives a test question away.

    Attributes:
        train, held: Question ids.
        chunk, held_chunk: What they are about.
        similarity: Of the two chunks.
    """

    train: str
    held: str
    chunk: str
    held_chunk: str
    similarity: float


def find_leaks(train: RetrievalDataset, held: RetrievalDataset, *, by_question: bool = False) -> list[Leak]:
    """Every question, of a split that is trained on or chosen by, that leaks into one held back; worst first.

    Args:
        train, held: The two splits.
        by_question: Only the same question leaks, for both may be about the same chunks (``dataset.train_on=all``).
    """
    if not train.queries or not held.queries:
        return []
    train_chunks, held_chunks = _asked(train), _asked(held)
    alike = {
        (copy.left, copy.right): copy.similarity for copy in near_copies(train_chunks, held_chunks, similarity=_RELATED)
    }
    alike |= {(key, key): 1.0 for key in train_chunks.keys() & held_chunks.keys()}
    same_words = {
        (copy.left, copy.right)
        for copy in near_copies(train.queries, held.queries, similarity=_PARAPHRASE, run=1, fewest=_FEWEST_WORDS)
    }
    about, held_about = _questions_of(train), _questions_of(held)
    leaks: dict[str, Leak] = {}
    for (chunk, other), similarity in sorted(alike.items(), key=lambda pair: (-pair[1], pair[0])):
        for question in about[chunk]:
            for asked in held_about[other]:
                if (similarity >= COPY and not by_question) or (question, asked) in same_words:
                    leaks.setdefault(question, Leak(question, asked, chunk, other, similarity))
    return list(leaks.values())


def leak_findings(splits: Splits) -> list[Finding]:
    """Leaks of train and dev into test, which block a run, and of train into dev, which make its choices doubtful.

    People's own dev questions may come close to their test questions, and those that were fixed before the corpus was cut may be
    about one chunk with them; that is told, and blocks nothing.
    """
    findings = []
    for name, held_name in (("train", "test"), ("dev", "test"), ("train", "dev")):
        part: RetrievalDataset = getattr(splits, name)
        held: RetrievalDataset = getattr(splits, held_name)
        leaks = find_leaks(part, held, by_question=splits.shares_chunks)
        if name == "dev" and splits.keeps_dev:  # a large chunk may hold evidence of both
            leaks = [leak for leak in leaks if leak.chunk != leak.held_chunk]
        if not leaks:
            continue
        fixed = splits.keeps_dev or all(splits.origins.get(leak.train) == "human" for leak in leaks)
        blocking = held_name == "test" and not (name == "dev" and fixed)
        same = sum(leak.similarity == 1 for leak in leaks)
        findings.append(
            Finding(
                "leaks",
                "blocking" if blocking else "warning",
                len(leaks),
                len(part.queries),
                f"{len(leaks):,} of {count_of(len(part.queries), f'{name} question')} "
                f"{'is' if len(leaks) == 1 else 'are'} about chunks of {held_name} questions ({same:,}) or near-copies of them "
                f"({len(leaks) - same:,}): the tuned model's figures on {held_name} would flatter it.",
                f"Take these questions out of {name}, or put all copies of a chunk into one split."
                + (
                    " dataset.leaks=drop leaves them out, dataset.leaks=allow continues with the leak."
                    if blocking
                    else ""
                ),
                [
                    example(
                        **{
                            f"{name}_question": part.queries[leak.train],
                            f"{held_name}_question": held.queries[leak.held],
                            f"{name}_chunk": part.corpus[leak.chunk],
                            f"{held_name}_chunk": held.corpus[leak.held_chunk],
                            "similarity": f"{leak.similarity:.2f}",
                        }
                    )
                    for leak in leaks[:EXAMPLES]
                ],
            )
        )
    return findings


def without_leaks(splits: Splits) -> tuple[Splits, int]:
    """The splits less the train questions that leak into dev or test, and the made dev questions that leak into test (but not
    where dev was fixed before: then it has none that is about a near-copy of a passage of test).

    For questions that embft writes itself: another one costs nothing. What people asked stays.

    Returns:
        The splits, and how many questions were left out.
    """
    kept, leaks = _without_leaks(splits)
    return kept, len({leak.train for _, _, leak in leaks})


def without_given_leaks(splits: Splits) -> tuple[Splits, list[str]]:
    """The same for questions that were given: each loss with its count, its reason and an example.

    Returns:
        The splits, and a sentence for each split that lost questions to another.
    """
    kept, leaks = _without_leaks(splits)
    notes = []
    for name, held_name in (("train", "test"), ("train", "dev"), ("dev", "test")):
        own = [leak for part, held, leak in leaks if (part, held) == (name, held_name)]
        if own:
            part: RetrievalDataset = getattr(splits, name)
            held: RetrievalDataset = getattr(splits, held_name)
            notes.append(
                f"{len(own):,} of {count_of(len(part.queries), f'{name} question')} would give {held_name} questions away and "
                f"{'was' if len(own) == 1 else 'were'} left out: about the same chunks or near-copies of them. The worst: "
                f"“{part.queries[own[0].train][:_SHOWN]}” ({name}) and “{held.queries[own[0].held][:_SHOWN]}” ({held_name}). "
                "dataset.leaks=stop stops here, dataset.leaks=allow keeps them."
            )
    return kept, notes


def _without_leaks(splits: Splits) -> tuple[Splits, list[tuple[str, str, Leak]]]:
    """The splits without leaks, and each leak with the names of the two splits."""
    by_question = splits.shares_chunks
    leaks = [
        ("dev", "test", leak)
        for leak in find_leaks(splits.dev, splits.test, by_question=by_question)
        if splits.origins[leak.train] != "human" and not splits.keeps_dev
    ]
    dev = _without(splits.dev, {leak.train for _, _, leak in leaks})
    gone: set[str] = set()
    for held_name, held in (("test", splits.test), ("dev", dev)):
        fresh = [leak for leak in find_leaks(splits.train, held, by_question=by_question) if leak.train not in gone]
        leaks += [("train", held_name, leak) for leak in fresh]
        gone |= {leak.train for leak in fresh}
    lost = {leak.train for _, _, leak in leaks}
    # An id may stand in train and in dev: what only one of them loses keeps its origin.
    still = {*splits.test.queries, *dev.queries, *(splits.train.queries.keys() - gone)}
    kept = replace(
        splits,
        train=_without(splits.train, gone),
        dev=dev,
        origins={key: origin for key, origin in splits.origins.items() if key not in lost or key in still},
        sources={key: text for key, text in splits.sources.items() if key not in gone},
    )
    return kept, leaks


def same_page_findings(splits: Splits, places: Mapping[str, tuple[str, int | None]]) -> list[Finding]:
    """Test questions about pages that train questions are about too, in other chunks.

    Args:
        splits: The splits.
        places: Chunk id to document and page; chunks without a page are passed over.
    """

    def pages(dataset: RetrievalDataset, question_id: str) -> set[tuple[str, int | None]]:
        about = {places[key] for key in dataset.relevant_docs[question_id] if key in places}
        return {place for place in about if place[1] is not None}

    trained = {place: key for key in splits.train.queries for place in pages(splits.train, key)}
    shared = [(key, place) for key in splits.test.queries for place in pages(splits.test, key) if place in trained]
    if not shared:
        return []
    questions = list(dict.fromkeys(key for key, _ in shared))
    total = len(splits.test.queries)
    return [
        Finding(
            "leaks",
            "info",
            len(questions),
            total,
            f"{len(questions):,} of {count_of(total, 'test question')} are about a page that train questions are about "
            "too, in other chunks: tuning may help less on pages it has not seen.",
            "Without human questions, dataset.split=blocks or documents keeps pages together.",
            [
                example(
                    test_question=splits.test.queries[key],
                    train_question=splits.train.queries[trained[place]],
                    page=f"{place[0]}, page {place[1]}",
                )
                for key, place in shared[:EXAMPLES]
            ],
        )
    ]


def _without(part: RetrievalDataset, leaking: set[str]) -> RetrievalDataset:
    return part.with_questions(key for key in part.queries if key not in leaking)


def _asked(dataset: RetrievalDataset) -> dict[str, str]:
    return {key: dataset.corpus[key] for ids in dataset.relevant_docs.values() for key in ids}


def _questions_of(dataset: RetrievalDataset) -> dict[str, list[str]]:
    questions: dict[str, list[str]] = {}
    for question_id, ids in dataset.relevant_docs.items():
        for key in ids:
            questions.setdefault(key, []).append(question_id)
    return questions
