"""A dataset that exists, read into train, dev and test: files of LlamaIndex's JSON or tables, or a BEIR folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from embft.config import DatasetConfig
from embft.dataset.beir import read_beir_folder, splits_of
from embft.dataset.findings import count_of
from embft.dataset.formats import read_llama_index
from embft.dataset.leaks import without_given_leaks
from embft.dataset.splitting import carve_dev
from embft.dataset.tables import is_table, read_table
from embft.errors import DatasetError
from embft.records import RetrievalDataset, Splits

FROM_FILE = "file"
"""Origin of questions that were given, wherever they came from before."""
_NAMES = {
    "train": ("train", "training"),
    "dev": ("dev", "val", "validation", "valid", "devel", "development"),
    "test": ("test", "testing"),
}
"""What the splits of a BEIR folder are called."""
_EMPTY = RetrievalDataset({}, {}, {})


@dataclass(frozen=True)
class Given:
    """A dataset that was read.

    Attributes:
        notes: What was passed over, dropped or understood in its own way, one sentence each: warnings of the report.
    """

    splits: Splits
    notes: tuple[str, ...]


def dataset_files(config: DatasetConfig) -> list[Path]:
    """The files that are read, all of them there.

    Raises:
        DatasetError: One is missing.
    """
    if config.kind == "llama_index":
        names = {name: getattr(config, name) for name in RetrievalDataset.SPLITS if getattr(config, name)}
        paths = {f"dataset.{name}": Path(value).expanduser() for name, value in names.items()}
    else:
        root = Path(config.path or "").expanduser()
        paths = {f"{name} of dataset.path": root / name for name in ("corpus.jsonl", "queries.jsonl")}
        judged = splits_of(root)
        paths |= {path.name: path for path in judged.values()} or {"qrels of dataset.path": root / "qrels" / "test.tsv"}
    missing = [f"{name}={path}" for name, path in paths.items() if not path.is_file()]
    if missing:
        raise DatasetError(f"No such file: {', '.join(missing)}. Paths are relative to {Path.cwd()}.")
    return list(paths.values())


def read_given(config: DatasetConfig, seed: int, titles_apart: bool = False) -> Given:
    """Reads the dataset that ``config`` names. Train and dev may be empty; test never is.

    Questions of train that give test or dev questions away are left out and counted where ``dataset.leaks=drop``.

    Args:
        titles_apart: The titles of a BEIR folder are contexts, not the beginnings of its texts.

    Raises:
        DatasetError: A file is wrong; says which and where.
    """
    given = _read_beir(config, seed, titles_apart) if config.kind == "beir" else _read_files(config, seed)
    if config.leaks != "drop":
        return given
    splits, notes = without_given_leaks(given.splits)
    return Given(splits, (*given.notes, *notes))


def _read_files(config: DatasetConfig, seed: int) -> Given:
    train = _read_file(config.train, "train") if config.train else _EMPTY
    test = _read_file(config.test, "test")
    # Dev questions carved from train still search all of its chunks: the few that are left would be too easy.
    dev_searches: tuple[str, ...] = ("dev",)
    if config.dev:
        dev = _read_file(config.dev, "dev")
    else:
        train, dev = carve_dev(train, config.dev_fraction, seed)
        dev_searches = ("train", "dev")
    everything = Splits.EVERYTHING
    splits = Splits(
        train,
        dev,
        test,
        distractors={},
        searches={
            "dev": everything if config.candidates == "all" else dev_searches,
            "test": everything if config.candidates == "all" else ("test",),
        },
        origins=_from_file(train, dev, test),
    )
    return Given(splits, tuple(dict.fromkeys((*train.notes, *dev.notes, *test.notes))))


def _read_file(name: str | None, split: str) -> RetrievalDataset:
    path = Path(name or "").expanduser()
    if not is_table(path):
        return read_llama_index(path)
    parts = read_table(path)
    if split in parts or len(parts) == 1:
        return parts.get(split) or next(iter(parts.values()))
    raise DatasetError(f"dataset.{split}={path} has no rows of the split '{split}'. It has: {', '.join(parts)}.")


def _read_beir(config: DatasetConfig, seed: int, titles_apart: bool) -> Given:
    folder = Path(config.path or "").expanduser()
    files, notes = _beir_files(folder)
    parts = read_beir_folder(folder, files, titles_apart=titles_apart)
    notes += [note for part in parts.values() for note in part.notes]
    train, dev, test = (parts.get(name, _EMPTY) for name in RetrievalDataset.SPLITS)
    if "dev" not in parts and train.queries:
        train, dev = carve_dev(train, config.dev_fraction, seed)
    corpus = test.corpus
    splits = {"train": train, "dev": dev, "test": test}
    # A BEIR corpus is shared. Each chunk stands with the split that asks about it: test before dev before train.
    home = {key: name for name in RetrievalDataset.SPLITS for ids in splits[name].relevant_docs.values() for key in ids}
    shares = config.train_on == "all"
    if not shares:
        notes += [note for name in ("train", "dev") if (note := _losses(splits[name], name, home))]
    own = {name: _own(part, name, home, corpus, shares) for name, part in splits.items()}
    return Given(
        Splits(
            own["train"],
            own["dev"],
            own["test"],
            distractors={key: text for key, text in corpus.items() if key not in home},
            searches={"dev": Splits.EVERYTHING, "test": Splits.EVERYTHING},
            origins=_from_file(*own.values()),
            shares_chunks=shares,
        ),
        tuple(dict.fromkeys(notes)),
    )


def _beir_files(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Judgements by split, and a word about files that are none of the three."""
    judged = splits_of(folder)
    files = {
        name: judged[present[0]] for name, names in _NAMES.items() if (present := [n for n in names if n in judged])
    }
    if "test" not in files:
        listed = ", ".join(path.name for path in judged.values()) or "no judgements"
        raise DatasetError(
            f"{folder / 'qrels'} has no test.tsv but {listed}: embft reports on test questions. Rename the judgements "
            "that it shall report on."
        )
    passed = [path.name for path in judged.values() if path not in files.values()]
    notes = [f"{folder / 'qrels'} holds {', '.join(passed)} too, which is none of train, dev and test: not read."]
    return files, notes if passed else []


def _losses(part: RetrievalDataset, name: str, home: Mapping[str, str]) -> str | None:
    """What a split loses because its documents are those of another's questions; None where it loses nothing."""
    takers = [{home[key] for key in ids} - {name} for ids in part.relevant_docs.values()]
    lost = [taker for taker in takers if taker]
    if not lost:
        return None
    named = " and ".join(sorted(set().union(*lost), reverse=True))
    return (
        f"{len(lost):,} of {count_of(len(part.queries), f'{name} question')} {'shares' if len(lost) == 1 else 'share'} relevant "
        f"documents with {named} questions and {'was' if len(lost) == 1 else 'were'} left out: no document stands in two "
        "splits. dataset.train_on=all keeps them."
    )


def _own(
    part: RetrievalDataset, name: str, home: Mapping[str, str], corpus: Mapping[str, str], shares: bool
) -> RetrievalDataset:
    """A split with the chunks that are its own; where chunks are shared, also with those of others that it asks about."""
    relevant = {key for ids in part.relevant_docs.values() for key in ids} if shares else set()
    chunks = {key: text for key, text in corpus.items() if home.get(key) == name or key in relevant}
    question_ids = [key for key, ids in part.relevant_docs.items() if shares or all(home[i] == name for i in ids)]
    return replace(part.with_questions(question_ids, chunks), notes=())


def _from_file(*parts: RetrievalDataset) -> dict[str, str]:
    return {question_id: FROM_FILE for part in parts for question_id in part.queries}
