"""The folder of one training that another machine does: whole by itself, on a disk that all machines share.

order.json        what to do, with digests of all that is here; written last
splits/           train, dev and test
model/            the base model, linked or copied
guide/, teacher/  models that the loss asks, if any
scratch/          checkpoints
claim             the sign of life of the process that is at it
events.jsonl      what it says
error.json        why it cannot go on, where that is something for the user to mend
result/           the tuned model and the training's report, with digests: whole or absent
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from embft import typed_json
from embft.config import RetrievalConfig, TrainingConfig
from embft.damaged import remove
from embft.dataset.splits_folder import read_splits, write_splits
from embft.errors import ScaleError
from embft.files import file_digest, folder_digest, sync, sync_below
from embft.models.encoder import Computing, Encoder
from embft.models.plain_folder import folder_name
from embft.models.source import folder_fingerprint
from embft.records import Splits
from embft.retrieval.embedder import Embedder
from embft.retrieval.vector_cache import VectorCache
from embft.scaling.work import share_model
from embft.source_code import code_of
from embft.training.finetune import Hardware
from embft.training.tuning_task import TuningTask

ORDER, ERROR, RESULT, SCRATCH = "order.json", "error.json", "result", "scratch"
FACTS = "result.json"
WORK = "embft.training.on_a_node:train_in"
"""What each process of the job calls."""
_SPLITS = "splits"
_CHECKPOINT_STEPS = 500
"""Steps between two checkpoints where the recipe asks for none within an epoch: a job may be killed, or its time be up."""


@dataclass(frozen=True)
class SharedModel:
    """A model in the folder.

    Attributes:
        folder: Below the order's.
        digest: Of its files as they lie there.
    """

    folder: str
    digest: str


@dataclass(frozen=True)
class BaseModel:
    """The base model, as `embft.models.encoder.Encoder` has it.

    Attributes:
        files: Where it lies.
        fingerprint: Of the base model as the run knows it.
        precision: Never ``auto``: a node's own hardware must not decide it.
    """

    files: SharedModel
    fingerprint: str
    name: str
    query_prompt: str
    document_prompt: str
    max_seq_length: int | None
    batch_size: int | None
    precision: str


@dataclass(frozen=True)
class Order:
    """What is to be trained.

    Attributes:
        training: The recipe as the run has it; folders in it are those of the machine that starts the run.
        retrieval: How chunks are searched.
        model: What is tuned.
        asked: ``guide`` and ``teacher``, where they are models of their own.
        splits: Digest of the folder.
        code: Digest of the code that trains: every node must have the same.
        libraries: Their versions, which are part of the result's key.
        silence: Seconds without a sign of life after which a process counts as dead.
    """

    training: TrainingConfig
    retrieval: RetrievalConfig
    hardware: Hardware
    seed: int
    model: BaseModel
    asked: Mapping[str, SharedModel]
    splits: str
    code: str
    libraries: Mapping[str, str]
    silence: float


@dataclass(frozen=True)
class Facts:
    """What a result is.

    Attributes:
        files: Path to size and digest.
    """

    host: str
    files: Mapping[str, tuple[int, str]]


def write_order(folder: Path, task: TuningTask, silence: float) -> None:
    """Puts into a folder what the training needs; what an earlier start has put there stays."""
    code = own_code()
    if _is_written(folder, code):
        return
    config, base = task.config, task.base.open_model
    remove(folder / _SPLITS)
    (folder / _SPLITS).mkdir(parents=True)
    write_splits(folder / _SPLITS, task.splits)
    asked = {
        name: _share(Path(path).expanduser(), folder, name)
        for name, path, used in (
            ("guide", config.guide, config.loss == "gist"),
            ("teacher", None if config.teacher == "fused" else config.teacher, config.loss == "distillation"),
        )
        if used and path is not None
    }
    order = Order(
        config,
        task.base.retrieval,
        task.hardware,
        task.seed,
        BaseModel(
            _share(base.folder, folder, "model"),
            base.fingerprint,
            base.name,
            base.query_prompt,
            base.document_prompt,
            base.max_seq_length,
            base.computing.batch_size,
            base.precision,
        ),
        asked,
        folder_digest(folder / _SPLITS),
        code,
        own_libraries(),
        silence,
    )
    typed_json.save(folder / ORDER, order)


def read_order(folder: Path) -> Order:
    """Reads it.

    Raises:
        ScaleError: The folder is not there on this machine, or is damaged.
    """
    try:
        return typed_json.load(Order, folder / ORDER)
    except (OSError, ValueError) as error:
        raise ScaleError(
            f"{folder / ORDER} cannot be read on {platform.node()} ({' '.join(str(error).split())[:200]}). All nodes must see "
            "that folder under the same name, and have the same embft: put scale.folder= on a disk that they share."
        ) from error


def task_of(folder: Path, order: Order, output: Path, vectors: Path) -> TuningTask:
    """The training as `embft.training.tune_weights.tune_weights` takes it.

    Args:
        output: Gets its result.
        vectors: A folder of this machine's own, for vectors that are asked for more than once.

    Raises:
        ScaleError: A file is not what was written.
    """
    model = order.model
    encoder = Encoder(
        _whole(folder, model.files),
        model.fingerprint,
        name=model.name,
        query_prompt=model.query_prompt,
        document_prompt=model.document_prompt,
        max_seq_length=model.max_seq_length,
        computing=Computing(order.hardware.device, model.batch_size, model.precision),
    )
    asked, recipe = {name: str(_whole(folder, shared)) for name, shared in order.asked.items()}, order.training
    config = replace(
        recipe,
        checkpoint_steps=recipe.checkpoint_steps or _CHECKPOINT_STEPS,
        guide=asked.get("guide", recipe.guide),
        teacher=asked.get("teacher", recipe.teacher),
    )
    base = Embedder(encoder, order.retrieval, VectorCache(vectors))
    return TuningTask(config, _splits(folder, order), base, order.hardware, order.seed, output, folder / SCRATCH)


def write_result(made: Path, folder: Path) -> None:
    """Puts a training's result into its place, in one step."""
    paths = [path for path in sorted(made.rglob("*")) if path.is_file()]
    files = {path.relative_to(made).as_posix(): (path.stat().st_size, file_digest(path)) for path in paths}
    typed_json.save(made / FACTS, Facts(platform.node(), files))
    made.chmod(0o755)
    sync_below(made)
    remove(folder / RESULT)
    made.rename(folder / RESULT)
    sync(folder)


def take_result(folder: Path, target: Path) -> str | None:
    """Copies a result, and compares what has arrived with what was written.

    Args:
        target: Gets it; is there, and empty.

    Returns:
        The machine that made it; None where it is not whole, and then the target is empty again.
    """
    try:
        facts = typed_json.load(Facts, folder / RESULT / FACTS)
        for name, (size, digest) in facts.files.items():
            place = target / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / RESULT / name, place)
            if place.stat().st_size != size or file_digest(place) != digest:
                raise ValueError(name)
    except (FileNotFoundError, ValueError):
        for path in target.iterdir():
            remove(path)
        return None
    return facts.host


def place_for_result(folder: Path) -> Path:
    """A new folder beside the result's; those that killed processes left are removed."""
    for left in folder.glob(f".{RESULT}-*"):
        remove(left)
    return Path(tempfile.mkdtemp(prefix=f".{RESULT}-", dir=folder))


@cache
def own_code() -> str:
    """Digest of the code that trains."""
    return code_of(WORK.partition(":")[0]).digest


@cache
def own_libraries() -> dict[str, str]:
    """Library to version, without what a build adds: ``2.9.0``, not ``2.9.0+cu128``."""
    versions = code_of(WORK.partition(":")[0]).libraries
    return {name: version.partition("+")[0] for name, version in versions.items()}


def _share(source: Path, folder: Path, name: str) -> SharedModel:
    shared = folder / name / folder_name(source)
    shared.parent.mkdir(exist_ok=True)
    share_model(source, shared)
    return SharedModel(shared.relative_to(folder).as_posix(), folder_fingerprint(shared))


def _is_written(folder: Path, code: str) -> bool:
    try:
        return read_order(folder).code == code
    except ScaleError:
        return False


def _whole(folder: Path, shared: SharedModel) -> Path:
    place = folder / shared.folder
    if not place.is_dir() or folder_fingerprint(place) != shared.digest:
        raise ScaleError(_damaged(place, folder))
    return place


def _splits(folder: Path, order: Order) -> Splits:
    place = folder / _SPLITS
    if folder_digest(place) != order.splits:
        raise ScaleError(_damaged(place, folder))
    return read_splits(place)


def _damaged(place: Path, folder: Path) -> str:
    return (
        f"{place} is not whole as seen from {os.uname().nodename}: is that disk full? Remove {folder}, and the same command "
        "puts it there anew."
    )
