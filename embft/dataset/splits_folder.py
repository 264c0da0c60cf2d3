"""Train, dev and test with all that belongs to them as a folder of plain files; a split is a file that LlamaIndex reads too."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from embft import typed_json
from embft.dataset.formats import read_llama_index, write_llama_index
from embft.files import read_json, write_json
from embft.records import Piece, RetrievalDataset, Splits
from embft.text_map import read_text_map, write_text_map


def write_splits(folder: Path, splits: Splits) -> None:
    """Writes the files into a folder that is there."""
    for name in RetrievalDataset.SPLITS:
        write_llama_index(folder / f"{name}.json", getattr(splits, name))
    write_text_map(folder / "distractors.json", splits.distractors)
    write_json(folder / "contexts.json", dict(splits.test.contexts))
    write_json(
        folder / "splits.json",
        {
            "searches": {name: list(parts) for name, parts in splits.searches.items()},
            "origins": dict(splits.origins),
            "sources": dict(splits.sources),
            "counts": dict(splits.counts),
            "keeps_dev": splits.keeps_dev,
            "shares_chunks": splits.shares_chunks,
        },
    )
    write_json(
        folder / "evidence.json",
        {key: [[asdict(piece) for piece in one] for one in pieces] for key, pieces in splits.evidence.items()},
    )


def read_splits(folder: Path) -> Splits:
    """Reads what `write_splits` wrote."""
    described = read_json(folder / "splits.json")
    train, dev, test = (read_llama_index(folder / f"{name}.json") for name in RetrievalDataset.SPLITS)
    return Splits(
        train,
        dev,
        test,
        distractors=read_text_map(folder / "distractors.json"),
        searches={name: tuple(parts) for name, parts in described["searches"].items()},
        origins=described["origins"],
        sources=described["sources"],
        counts=described["counts"],
        evidence=typed_json.from_json(dict[str, tuple[tuple[Piece, ...], ...]], read_json(folder / "evidence.json")),
        keeps_dev=described["keeps_dev"],
        shares_chunks=described["shares_chunks"],
    ).with_contexts(read_json(folder / "contexts.json"))
