"""Audits of the questions and chunks themselves: copies, repeats, questions that people do not ask, language, prompts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

from embft.dataset.findings import EXAMPLES, Finding, count_of, example, first_relevant
from embft.dataset.leaks import COPY
from embft.dataset.near_copies import near_copies
from embft.records import RetrievalDataset, Splits
from embft.text.codes import name_of
from embft.text.content_words import word_count
from embft.text.languages import guess, languages_of
from embft.text.passage_dependence import is_talk, passage_dependence

_FEWEST_WORDS = 5
"""A chunk with fewer answers nothing."""
_LONG_ENOUGH = 500
"""Characters with which a chunk has as many words, whatever its language."""
_SAMPLE = 500
"""Texts that the language is told from."""
_FOREIGN = 0.2
"""Share of texts in other languages than the model's from which the reader is warned."""
_MOST_QUOTES = 20
"""That a report shows, those with the lowest scores first."""
_INSTRUCTIONS = (
    (re.compile(r"e5-(?:small|base|large)", re.I), "query: ", "passage: "),
    (re.compile(r"bge-(?:small|base|large)-en", re.I), "Represent this sentence for searching relevant passages: ", ""),
    (re.compile(r"bge-(?:small|base|large)-zh", re.I), "为这个句子生成表示以用于检索相关文章：", ""),
    (re.compile(r"nomic-embed", re.I), "search_query: ", "search_document: "),
)
"""Prompts that these models were trained with, from their cards."""


def copy_findings(splits: Splits) -> list[Finding]:
    """Near-copies among the chunks that test questions search: to find the other copy counts as a miss."""
    corpus = splits.searched("test").corpus
    pairs = near_copies(corpus, similarity=COPY)
    if not pairs:
        return []
    copies = {key for pair in pairs for key in (pair.left, pair.right)}
    relevant = {key for ids in splits.test.relevant_docs.values() for key in ids} & copies
    return [
        Finding(
            "near_copies",
            "warning" if relevant else "info",
            len(copies),
            len(corpus),
            f"{len(copies):,} of {count_of(len(corpus), 'chunk')} that test questions search are near-copies of another, "
            f"{len(relevant):,} of them asked about: a system that finds the other copy is counted wrong.",
            "Remove copies of documents, or name every copy in relevant_docs.",
            [
                example(chunk=corpus[pair.left], copy=corpus[pair.right], similarity=f"{pair.similarity:.2f}")
                for pair in pairs[:EXAMPLES]
            ],
        )
    ]


def repeat_findings(splits: Splits) -> list[Finding]:
    """Questions with the same words: within test, within train, and in both."""
    findings = []
    for name in ("test", "train"):
        part: RetrievalDataset = getattr(splits, name)
        pairs = near_copies(part.queries, similarity=1.0, run=1, fewest=10**6)
        apart = sum(set(part.relevant_docs[p.left]) != set(part.relevant_docs[p.right]) for p in pairs)
        if pairs:
            findings.append(
                Finding(
                    "repeated_questions",
                    "warning",
                    len(pairs),
                    len(part.queries),
                    f"{len(pairs):,} of {count_of(len(part.queries), f'{name} question')} "
                    f"{'repeats' if len(pairs) == 1 else 'repeat'} another, {apart:,} with a different chunk: those "
                    "contradict each other, the others count twice.",
                    "Remove repeats, or give the question all its chunks.",
                    [
                        example(
                            question=part.queries[pair.right],
                            its_chunk=first_relevant(pair.left, part.relevant_docs, part.corpus),
                            chunk_of_the_repeat=first_relevant(pair.right, part.relevant_docs, part.corpus),
                        )
                        for pair in pairs[:EXAMPLES]
                    ],
                )
            )
    return findings


def dependent_findings(splits: Splits) -> list[Finding]:
    """Questions that point at a passage that the asker has not seen, and lines that are no questions but an LLM's talk."""
    test, train = (
        [text for text in part.queries.values() if is_talk(text) or passage_dependence(text)]
        for part in (splits.test, splits.train)
    )
    if not test and not train:
        return []
    total = len(splits.test.queries)
    talk = [text for text in (*test, *train) if is_talk(text)]
    are = (
        f" {len(talk):,} of these are an LLM's words around its questions ('Here are two questions:')." if talk else ""
    )
    return [
        Finding(
            "passage_dependent",
            "warning",
            len(test),
            total,
            f"{len(test):,} of {count_of(total, 'test question')} and {len(train):,} of {len(splits.train.queries):,} train "
            f"questions point at a passage ('according to the text').{are} People do not ask so: they say little about real "
            "search.",
            "Filter them, or have them written anew as people ask: questions.prompt=search.",
            [example(question=text) for text in dict.fromkeys((*talk, *test, *train))][:EXAMPLES],
        )
    ]


def unanswerable_findings(splits: Splits, unmapped: Sequence[Mapping[str, str]]) -> list[Finding]:
    """Human questions without a place in the corpus, and test questions whose chunk says next to nothing.

    Args:
        splits: The splits.
        unmapped: Human questions that were left out, each with ``question`` and ``reason``.
    """
    findings = []
    test = splits.test
    bare = [
        key for key, ids in test.relevant_docs.items() if all(_says_nothing(test.corpus[chunk_id]) for chunk_id in ids)
    ]
    if bare:
        findings.append(
            Finding(
                "unanswerable",
                "warning",
                len(bare),
                len(test.queries),
                f"{len(bare):,} of {count_of(len(test.queries), 'test question')} have a relevant chunk of fewer than "
                f"{_FEWEST_WORDS} words: it cannot answer them.",
                "Check their relevant chunks.",
                [
                    example(question=test.queries[key], chunk=first_relevant(key, test.relevant_docs, test.corpus))
                    for key in bare[:EXAMPLES]
                ],
            )
        )
    if unmapped:
        findings.append(
            Finding(
                "unanswerable",
                "warning",
                len(unmapped),
                len(unmapped) + sum(origin == "human" for origin in splits.origins.values()),
                f"{count_of(len(unmapped), 'human question')} {'was' if len(unmapped) == 1 else 'were'} left out: their "
                "evidence is not in this corpus.",
                "Add the document that answers them, or mend the quote.",
                [example(question=row["question"], reason=row["reason"]) for row in unmapped[:EXAMPLES]],
            )
        )
    return findings


def _says_nothing(text: str) -> bool:
    """Whether a chunk has fewer words than an answer takes. Long ones are seen to have more without cutting their Chinese."""
    return len(text) < _LONG_ENOUGH and word_count(text) < _FEWEST_WORDS


def quote_findings(rows: object) -> list[Finding]:
    """Human questions whose quote is not in the corpus letter by letter, with what was taken for it.

    Args:
        rows: Of the questions' report, each with ``question``, ``quote``, ``text``, ``document``, ``page`` and ``score``.
    """
    quotes = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    if not quotes:
        return []
    quotes.sort(key=lambda row: row["score"])
    are, number = ("is", "its") if len(quotes) == 1 else ("are", "their")
    return [
        Finding(
            "quotes",
            "info",
            len(quotes),
            len(quotes),
            f"{count_of(len(quotes), 'quote')} of human questions {are} not in the text letter by letter and "
            f"{'was' if len(quotes) == 1 else 'were'} found by {number} words; the lowest score is {quotes[0]['score']:.0%}.",
            "Compare what was found with the quote.",
            [
                example(
                    question=str(row["question"]),
                    quote=str(row["quote"]),
                    found=str(row["text"]),
                    place=str(row["document"]) + (f", page {row['page']}" if row["page"] is not None else ""),
                    score=f"{row['score']:.0%}",
                )
                for row in quotes[:_MOST_QUOTES]
            ],
        )
    ]


def language_findings(splits: Splits, language: str, declared: str = "auto") -> list[Finding]:
    """A model for another language than the corpus's, or questions in another one.

    Args:
        splits: The splits.
        language: The model's: a code, several joined by ``+``, or ``multi``.
        declared: Of the corpus, where a setting says it; ``auto``: looked for.
    """
    wanted = set(language.replace(",", "+").split("+"))
    if "multi" in wanted:
        return []
    findings = []
    for what, texts, known in (
        ("chunks", splits.searched("test").corpus, declared),
        ("test questions", splits.test.queries, "auto"),
    ):
        sample = [text for text in islice(texts.values(), _SAMPLE) if guess(text).script is not None]
        spoken = zip(sample, languages_of(sample, known).each, strict=True)
        foreign = [(text, own) for text, own in spoken if own not in wanted]
        if len(foreign) > _FOREIGN * len(sample):
            names = [name_of(own) for own, _ in Counter(own for _, own in foreign).most_common(3)]
            findings.append(
                Finding(
                    "language",
                    "warning",
                    len(foreign),
                    len(sample),
                    f"The model is for {' and '.join(map(name_of, sorted(wanted)))}, but {len(foreign):,} of {len(sample):,} "
                    f"{what} looked at are in {' or '.join(names)}: it reads them badly, tuned or not.",
                    "Choose a model of the corpus's language, or a multilingual one such as model=e5_small "
                    "(model.language says what a model of your own is for).",
                    [example(text=text) for text, _ in foreign[:EXAMPLES]],
                )
            )
    return findings


def prompt_findings(model: str, query_prompt: str, document_prompt: str) -> list[Finding]:
    """A model that is used without the instruction that it was trained with.

    Base and tuned get the same prompts in embft, in training and in search; what is left to go wrong is the model's own.
    """
    known = next(((query, document) for name, query, document in _INSTRUCTIONS if name.search(model)), None)
    if known is None:
        return []
    missing = [
        f"{prompt!r} before {what}"
        for what, prompt, used in (("questions", known[0], query_prompt), ("passages", known[1], document_prompt))
        if prompt and not used.strip()
    ]
    if not missing:
        return []
    return [
        Finding(
            "prompts",
            "warning",
            len(missing),
            2,
            f"{model} was trained with {' and '.join(missing)} and gets nothing: base and tuned alike score below their best, "
            "and a comparison with another model is not fair.",
            "Set model.query_prompt and model.document_prompt as the model's card says.",
        )
    ]
