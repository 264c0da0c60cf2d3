"""What a process of a training does on another machine than the one that started the run."""

from __future__ import annotations

import logging
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from embft import typed_json
from embft.errors import ConfigError, EmbftError, ScaleError, TrainingError
from embft.heartbeat import Heartbeat
from embft.models.hardware import pick_device
from embft.progress import shown
from embft.scaling.events import Teller
from embft.scaling.long_job import CLAIM
from embft.training.order import (
    ERROR,
    FACTS,
    RESULT,
    Order,
    own_code,
    own_libraries,
    place_for_result,
    read_order,
    task_of,
    write_result,
)
from embft.training.processes import OthersLostError, rank, run_distributed
from embft.training.tune_weights import tune_weights

logger = logging.getLogger(__name__)

_TELLS = 5.0
"""Seconds between two lines about how far it is."""
_PATIENCE = 1.5
"""Times the silence after which a process counts as dead, until another one is left at it."""


@dataclass(frozen=True)
class Refusal:
    """Why a training cannot go on.

    Attributes:
        kind: ``training``, or ``scale`` for what is wrong with the machine.
        text: For the user.
        host: The machine.
    """

    kind: str
    text: str
    host: str


def train_in(folder: str) -> int:
    """Trains what a folder asks for, with the other processes of the job; returns the exit status.

    What a user can mend stands in the folder afterwards, and the status is 0: another start would come to the same.

    Args:
        folder: See `embft.training.order`.

    Raises:
        ScaleError: The folder is not to be seen from here.
    """
    place = Path(folder)
    order = read_order(place)
    try:
        _check(order)
    except EmbftError as error:
        _refuse(place, error)
        return 0 if rank() == 0 else 1
    return run_distributed(lambda: _lead(place, order))


def _lead(folder: Path, order: Order) -> int:
    claim = Heartbeat(folder / CLAIM, order.silence)
    until = time.monotonic() + _PATIENCE * order.silence
    # The process that was killed before this one has left its claim.
    while not claim.take():
        if time.monotonic() > until:
            print(f"{claim.holder()} is at {folder} already: nothing is left to do here.")
            return 0
        time.sleep(1)
    try:
        if not (folder / RESULT / FACTS).exists():
            _train(folder, order)
    except OthersLostError:
        raise  # another start continues
    except EmbftError as error:
        _refuse(folder, error)
    finally:
        claim.release()
    return 0


def _train(folder: Path, order: Order) -> None:
    with tempfile.TemporaryDirectory(prefix="embft-") as vectors, _told(folder) as teller:
        made = place_for_result(folder)
        task = task_of(folder, order, made, Path(vectors))
        tune_weights(task, teller.figures)
        write_result(made, folder)


@contextmanager
def _told(folder: Path) -> Iterator[Teller]:
    """While the block lasts, the run learns what is logged here, and how far it is; the job's own log has it too."""
    teller, house = Teller(folder), logging.getLogger("embft")
    handlers = (teller, logging.StreamHandler(sys.stdout))
    before = house.level
    house.setLevel(logging.INFO)
    for handler in handlers:
        house.addHandler(handler)
    try:
        with shown(_TELLS) as enter:
            enter("training")
            yield teller
    finally:
        for handler in handlers:
            house.removeHandler(handler)
        house.setLevel(before)


def _refuse(folder: Path, error: EmbftError) -> None:
    print(error)
    kind = "training" if isinstance(error, TrainingError) else "scale"
    typed_json.save(folder / ERROR, Refusal(kind, str(error), platform.node()))


def _check(order: Order) -> None:
    """Refuses what would train another model than the one that was ordered.

    Raises:
        ScaleError: This machine has another embft, other libraries, or other hardware.
    """
    here = platform.node()
    if order.code != own_code():
        raise ScaleError(
            f"The embft on {here} is another one than that of the machine that started the run, and might train another model: "
            "install the same version, or the same checkout, on all nodes."
        )
    own = own_libraries()
    others = [f"{name} {own.get(name, 'not at all')} and not {version}" for name, version in order.libraries.items()
              if own.get(name) != version]  # fmt: skip
    if others:
        raise ScaleError(
            f"{here} has {', '.join(others)}, which may train another model: install the same versions on all nodes "
            "(pip install -c constraints.txt)."
        )
    device, precision = order.hardware.device, order.hardware.precision
    try:
        pick_device(device)
    except ConfigError as error:
        raise ScaleError(
            f"The training is for device {device}, and {here} has none: ask for one by scale.gpus=1, and install a torch that "
            "knows it."
        ) from error
    if device == "cuda" and precision == "bf16" and not _multiplies_bf16():
        raise ScaleError(f"The GPU of {here} has no bf16: add training.precision=fp16 or fp32.")


def _multiplies_bf16() -> bool:
    import torch

    return torch.cuda.get_device_capability() >= (8, 0)
