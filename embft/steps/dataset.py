"""Stage ``dataset``: questions to train, dev and test; or a dataset that exists, read and checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from embft import typed_json
from embft.config import DatasetConfig
from embft.dataset.formats import read_beir, read_llama_index, write_llama_index
from embft.dataset.leaks import without_leaks
from embft.dataset.splitting import carve_dev, split_questions
from embft.dataset.validation import validate
from embft.errors import DatasetError
from embft.evaluation.realism import realism
from embft.files import file_digest, read_json, write_json
from embft.records import RetrievalDataset, Splits
from embft.results import Corpus, Dataset, DatasetReport, QuestionSet
from embft.stages import StageResult
from embft.steps.workspace import Workspace

FROM_FILE = "file"


def make_dataset(
    workspace: Workspace, corpus: StageResult[Corpus] | None, questions: StageResult[QuestionSet] | None
) -> StageResult[Dataset]:
    """Makes or reads the dataset; ``corpus`` and ``questions`` are None where it is read from files.

    Raises:
        DatasetError: A file is wrong, or a split is empty. All problems at once.
    """
    config, seed = workspace.config.dataset, workspace.config.seed

    def build(folder: Path, scratch: Path) -> None:
        left_out: Mapping[str, int] = {}
        if corpus is not None and questions is not None:
            splits, left_out = split_questions(corpus.value.chunks, questions.value.questions, config, seed)
            splits, leaking = without_leaks(splits)
            if leaking:
                left_out = {**left_out, "generated questions about near-copies of chunks of a split held back": leaking}
        else:
            splits = _read(config, seed)
        warnings = _check(splits)
        for name in RetrievalDataset.SPLITS:
            write_llama_index(folder / f"{name}.json", getattr(splits, name))
        write_json(folder / "distractors.json", dict(splits.distractors))
        write_json(
            folder / "splits.json",
            {
                "searches": {name: list(parts) for name, parts in splits.searches.items()},
                "origins": dict(splits.origins),
                "sources": dict(splits.sources),
            },
        )
        typed_json.save(folder / "report.json", _report(splits, left_out, warnings))

    if corpus is not None and questions is not None:
        inputs = [corpus.key, questions.key]
    else:
        inputs = [file_digest(path) for path in _files(config)]
    return workspace.run("dataset", build, _load, inputs=inputs, values={"seed": seed})


def _load(folder: Path) -> Dataset:
    described = read_json(folder / "splits.json")
    train, dev, test = (read_llama_index(folder / f"{name}.json") for name in RetrievalDataset.SPLITS)
    splits = Splits(
        train,
        dev,
        test,
        distractors=read_json(folder / "distractors.json"),
        searches={name: tuple(parts) for name, parts in described["searches"].items()},
        origins=described["origins"],
        sources=described["sources"],
    )
    return Dataset(splits, typed_json.load(DatasetReport, folder / "report.json"))


def _files(config: DatasetConfig) -> list[Path]:
    if config.kind == "llama_index":
        names = {name: getattr(config, name) for name in RetrievalDataset.SPLITS if getattr(config, name)}
        paths = {f"dataset.{name}": Path(value).expanduser() for name, value in names.items()}
    else:
        root = Path(config.path or "").expanduser()
        paths = {f"{name} of dataset.path": root / name for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv")}
        paths |= {path.name: path for path in sorted(root.glob("qrels/*.tsv"))}
    missing = [f"{name}={path}" for name, path in paths.items() if not path.is_file()]
    if missing:
        raise DatasetError(f"No such file: {', '.join(missing)}. Paths are relative to {Path.cwd()}.")
    return list(paths.values())


def _read(config: DatasetConfig, seed: int) -> Splits:
    if config.kind == "beir":
        return _read_beir(Path(config.path or "").expanduser(), config, seed)
    train = read_llama_index(Path(config.train or "").expanduser())
    test = read_llama_index(Path(config.test or "").expanduser())
    # Dev questions carved from train still search all of its chunks: the few that are left would be too easy.
    dev_searches: tuple[str, ...] = ("dev",)
    if config.dev:
        dev = read_llama_index(Path(config.dev).expanduser())
    else:
        train, dev = carve_dev(train, config.dev_fraction, seed)
        dev_searches = ("train", "dev")
    everything = Splits.EVERYTHING
    return Splits(
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


def _read_beir(folder: Path, config: DatasetConfig, seed: int) -> Splits:
    if not (folder / "qrels" / "train.tsv").is_file():
        raise DatasetError(
            f"{folder}/qrels has no train.tsv: embft trains on train questions and reports on test ones."
        )
    train, test = read_beir(folder, "train"), read_beir(folder, "test")
    if (folder / "qrels" / "dev.tsv").is_file():
        dev = read_beir(folder, "dev")
    else:
        train, dev = carve_dev(train, config.dev_fraction, seed)
    corpus = {**train.corpus, **dev.corpus, **test.corpus}
    asked = {
        name: {i for ids in part.relevant_docs.values() for i in ids}
        for name, part in (("train", train), ("dev", dev), ("test", test))
    }
    # A BEIR corpus is shared. Each chunk stands with the split that asks about it: test before dev before train.
    home = {key: name for name in ("train", "dev", "test") for key in asked[name]}

    def own(part: RetrievalDataset, name: str) -> RetrievalDataset:
        chunks = {key: text for key, text in corpus.items() if home.get(key) == name}
        kept = {key: ids for key, ids in part.relevant_docs.items() if all(home[i] == name for i in ids)}
        return RetrievalDataset({key: part.queries[key] for key in kept}, chunks, kept)

    train, dev, test = own(train, "train"), own(dev, "dev"), own(test, "test")
    return Splits(
        train,
        dev,
        test,
        distractors={key: text for key, text in corpus.items() if key not in home},
        searches={"dev": Splits.EVERYTHING, "test": Splits.EVERYTHING},
        origins=_from_file(train, dev, test),
    )


def _from_file(*parts: RetrievalDataset) -> dict[str, str]:
    return {question_id: FROM_FILE for part in parts for question_id in part.queries}


def _check(splits: Splits) -> list[str]:
    fatal: list[str] = []
    warnings: list[str] = []
    for name in RetrievalDataset.SPLITS:
        part: RetrievalDataset = getattr(splits, name)
        if name == "dev" and not part.queries:
            warnings.append("There are no dev questions: the last epoch is kept and the fusion is an even mix.")
            continue
        found = validate(part, name)
        fatal.extend(found.fatal)
        warnings.extend(found.warnings)
    if fatal:
        raise DatasetError("The dataset is not usable:\n" + "\n".join(f"  - {problem}" for problem in fatal))
    return warnings


def _report(splits: Splits, left_out: Mapping[str, int], warnings: list[str]) -> DatasetReport:
    parts: dict[str, RetrievalDataset] = {name: getattr(splits, name) for name in RetrievalDataset.SPLITS}
    return DatasetReport(
        questions={name: len(part.queries) for name, part in parts.items()},
        chunks={name: len(part.corpus) for name, part in parts.items()},
        searched={name: len(splits.searched(name).corpus) for name in ("dev", "test")},
        origins={
            name: dict(Counter(splits.origins[question_id] for question_id in part.queries))
            for name, part in parts.items()
        },
        left_out=dict(left_out),
        warnings=warnings,
        realism=realism(splits),
    )
