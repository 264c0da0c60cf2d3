"""What dev and test ask: chosen once, by what answers it in the text, before the text is cut into chunks.

So the same questions are asked regardless of the chunks, of who writes the training questions, and of a training's seed.
Passages, an even cut of the pages, stand in for chunks here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from embft.config import DatasetConfig
from embft.dataset.leaks import find_leaks
from embft.dataset.splitting import deal_out
from embft.records import Chunk, Place, Question, RetrievalDataset

HUMAN = "human"
HELD = ("dev", "test")
NEAR_COPIES = "generated questions about near-copies of chunks of a split held back"
OUTSIDE = "human questions about train chunks"


@dataclass(frozen=True)
class HeldBack:
    """The questions of dev and test.

    Attributes:
        questions: By split; their chunks are passages until they are mapped onto chunks.
        stretches: By split, the text that is held back whether it is asked about or not: blocks of pages, documents.
        left_out: Reason to count.
    """

    questions: Mapping[str, Sequence[Question]]
    stretches: Mapping[str, Sequence[Place]] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def by_people(self) -> bool:
        """Whether people asked: dev and test are then theirs alone."""
        return any(question.origin == HUMAN for asked in self.questions.values() for question in asked)


def hold_back(
    passages: Sequence[Chunk],
    human: Sequence[Question],
    config: DatasetConfig,
    write: Callable[[Sequence[Chunk]], Sequence[Question]],
) -> HeldBack:
    """Chooses what dev and test ask.

    Args:
        passages: In reading order.
        human: Questions that people asked about them; may be none.
        config: How passages are dealt out: see `embft.dataset.splitting.deal_out`.
        write: Writes questions about passages of dev and test; not asked where people did.

    Raises:
        DatasetError: See `deal_out`.
    """
    by_questions = bool(human) and config.split != "article"
    home = deal_out(passages, human, config, by_questions=by_questions)
    asked = human or write([passage for passage in passages if home[passage.id] in HELD])
    by_split: dict[str, list[Question]] = {"train": [], "dev": [], "test": []}
    for question in asked:
        by_split[home[question.chunk_ids[0]]].append(question)
    texts = {passage.id: passage.text for passage in passages}
    dev, leaking = _without_leaks(by_split["dev"], by_split["test"], texts)
    stretches = {} if by_questions else {name: _stretches(p for p in passages if home[p.id] == name) for name in HELD}
    left_out = {OUTSIDE: len(by_split["train"]), NEAR_COPIES: leaking}
    return HeldBack(
        {"dev": dev, "test": by_split["test"]}, stretches, {reason: n for reason, n in left_out.items() if n}
    )


def _without_leaks(
    dev: Sequence[Question], test: Sequence[Question], texts: Mapping[str, str]
) -> tuple[list[Question], int]:
    """The dev questions less those made about near-copies of what test asks about; what people asked stays."""
    leaking = {leak.train for leak in find_leaks(_asked(dev, texts), _asked(test, texts))}
    kept = [question for question in dev if question.origin == HUMAN or question.id not in leaking]
    return kept, len(dev) - len(kept)


def _asked(questions: Sequence[Question], texts: Mapping[str, str]) -> RetrievalDataset:
    return RetrievalDataset(
        {question.id: question.text for question in questions},
        texts,
        {question.id: question.chunk_ids for question in questions},
    )


def _stretches(passages: Iterable[Chunk]) -> list[Place]:
    """The passages as places, those that follow one another on a page as one."""
    stretches: list[Place] = []
    for passage in passages:
        last = stretches[-1] if stretches else Place("", None, 0, -_GAP - 1)
        same_page = (last.document, last.page) == (passage.document, passage.page)
        if same_page and 0 <= passage.start - last.end <= _GAP:
            stretches[-1] = replace(last, end=passage.end)
        else:
            stretches.append(Place(passage.document, passage.page, passage.start, passage.end))
    return stretches


_GAP = 2
"""Characters of white space between two passages; more may hold text that is neither's."""


def rows_of(held: HeldBack) -> list[dict[str, object]]:
    """The lines of held_back.jsonl: a question or a stretch each, with its split."""
    rows: list[dict[str, object]] = []
    for name in HELD:
        rows += [{"split": name, **asdict(question)} for question in held.questions.get(name, ())]
        rows += [{"split": name, "stretch": asdict(place)} for place in held.stretches.get(name, ())]
    return rows


def held_back_of(rows: Iterable[Mapping[str, Any]], left_out: Mapping[str, int]) -> HeldBack:
    """What `rows_of` wrote.

    Raises:
        ValueError: A line is none of it.
    """
    questions: dict[str, list[Question]] = {name: [] for name in HELD}
    stretches: dict[str, list[Place]] = {name: [] for name in HELD}
    for row in rows:
        split = row.get("split") if isinstance(row, Mapping) else None
        if split not in HELD:
            raise ValueError(f"a line has no split: {str(row)[:80]}")
        try:
            if "stretch" in row:
                stretches[split].append(Place(**row["stretch"]))
            else:
                questions[split].append(Question(**{key: value for key, value in row.items() if key != "split"}))
        except TypeError as error:
            raise ValueError(f"a line is no question: {error}") from error
    return HeldBack(questions, {name: places for name, places in stretches.items() if places}, left_out)
