"""A run for TensorBoard: an event file in ``tensorboard/`` of the run folder, with its settings as hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from embft.config import TrackingConfig
from embft.tracking.service import flat, numbers

FOLDER = "tensorboard"
_MOST_ROWS = 200
"""Of a table: TensorBoard shows text, not tables to page through."""


class TensorboardRun:
    """A `embft.tracking.service.Service`.

    Args:
        folder: The run folder.
        settings: The resolved configuration.
        about: What else there is to say of the run.
    """

    name = "TensorBoard"

    def __init__(self, folder: Path, settings: Mapping[str, object], about: Mapping[str, object]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(folder / FOLDER))
        self._settings = flat(settings)
        self._figures: dict[str, float] = {}
        self.address = f"tensorboard --logdir {folder}"
        for key, value in about.items():
            self._writer.add_text(key, str(value))

    def log(self, values: Mapping[str, float], step: int | None) -> None:
        for key, value in numbers(values).items():
            self._writer.add_scalar(key, value, step or 0)

    def summary(self, values: Mapping[str, object]) -> None:
        self._figures |= numbers(values)
        for key, value in values.items():
            if key in self._figures:
                self._writer.add_scalar(key, self._figures[key], 0)
            elif value is not None:
                self._writer.add_text(key, _cell(value))

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        lines = [columns, ["---"] * len(columns), *rows[:_MOST_ROWS]]
        text = "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)
        rest = len(rows) - _MOST_ROWS
        self._writer.add_text(name, f"{text}\n\nand {rest:,} more in the run folder" if rest > 0 else text)

    def file(self, path: Path) -> None:
        self._writer.add_text(f"file/{path.name}", str(path.absolute()))

    def finish(self, failed: bool) -> None:
        from torch.utils.tensorboard import summary as events

        hparams: Any = events.hparams
        # Once all figures are known: the table of hyperparameters has a column for each.
        for summary in hparams(self._settings, self._figures):
            self._writer.file_writer.add_summary(summary)
        self._writer.add_text("status", "failed" if failed else "ok")
        self._writer.close()


def open_tensorboard(
    config: TrackingConfig, *, folder: Path, name: str, group: str | None, settings: Mapping[str, object]
) -> TensorboardRun:
    """Opens a run; arguments as for `embft.tracking.open_tracker`."""
    about = {"name": name, "group": group, "tags": ", ".join(config.tags), "notes": config.notes}
    return TensorboardRun(folder, settings, {key: value for key, value in about.items() if value})


def _cell(value: object) -> str:
    """A cell of a Markdown table: one line, and no border of its own."""
    return " ".join(("" if value is None else str(value)).split()).replace("|", "\\|")
