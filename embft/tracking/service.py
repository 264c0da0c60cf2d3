"""A tracking service behind the tracker's door: whatever happens to the service, the run continues."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from embft.tracking.tracker import Product, plain

_log = logging.getLogger(__name__)


class Service(Protocol):
    """What an adapter does; `Tracker` says what each is for. It raises whatever its library raises.

    Attributes:
        name: As people know it.
        address: Where its runs are seen, in words or as a command.
    """

    name: str
    address: str

    def log(self, values: Mapping[str, float], step: int | None) -> None: ...

    def summary(self, values: Mapping[str, object]) -> None: ...

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None: ...

    def file(self, path: Path) -> None: ...

    def finish(self, failed: bool) -> None: ...


class ServiceTracker:
    """Tells a service what a tracker is told. Where that fails, a warning says so once, and nothing more is sent.

    Args:
        name: Of the service.
        open_run: Opens the run there.
    """

    def __init__(self, name: str, open_run: Callable[[], Service]) -> None:
        self._name = name
        self._service: Service | None = None
        self._broken = False

        def start() -> None:
            self._service = open_run()

        self._guarded("start", start)

    def __enter__(self) -> ServiceTracker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if (service := self._service) is None:
            return
        # Also after a failure: what was sent before is to be closed.
        broken, self._broken = self._broken, False
        self._guarded("finish", lambda: service.finish(kind is not None))
        if not broken and not self._broken:
            _log.info("%s: %s", self._name, service.address)

    def log(self, values: Mapping[str, float], step: int | None = None) -> None:
        """See `Tracker.log`."""
        self._tell("log", lambda service: service.log({key: _bare(value) for key, value in values.items()}, step))

    def summary(self, values: Mapping[str, object]) -> None:
        """See `Tracker.summary`."""
        self._tell("summary", lambda service: service.summary({key: _bare(value) for key, value in values.items()}))

    def table(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """See `Tracker.table`."""
        cells = [[plain(cell) for cell in row] for row in rows]
        self._tell("table", lambda service: service.table(name, list(columns), cells))

    def file(self, path: Path) -> None:
        """See `Tracker.file`."""
        self._tell("file", lambda service: service.file(path))

    def product(self, product: Product) -> None:
        """Says where it lies: in words, as these services have no lineage of files that stay where they are."""
        places = ", ".join([*(str(path.absolute()) for path in product.files), *filter(None, [product.address])])
        key = f"artifact/{'made' if product.made else 'used'}/{product.name}"
        self._tell("artifact", lambda service: service.summary({key: places}))

    def _tell(self, what: str, action: Callable[[Service], None]) -> None:
        if (service := self._service) is not None:
            self._guarded(what, lambda: action(service))

    def _guarded(self, what: str, action: Callable[[], None]) -> None:
        if self._broken:
            return
        try:
            action()
        except Exception as error:  # of a library's making: whatever it is, a run does not fail by its tracker
            self._broken = True
            words = without_password(str(error).splitlines()[0] if str(error) else type(error).__name__)
            _log.warning(
                "%s failed at '%s' (%s). The run continues; its figures are in its folder.", self._name, what, words
            )


def flat(settings: Mapping[str, object], prefix: str = "") -> dict[str, str | float | bool]:
    """Nested settings as ``model.id``: ..., for services that know no nesting; a list is its text, what is null is left out."""
    pairs: dict[str, str | float | bool] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            pairs |= flat(value, f"{prefix}{key}.")
        elif value is not None:
            pairs[f"{prefix}{key}"] = value if isinstance(value, (str, int, float)) else str(value)
    return pairs


def numbers(values: Mapping[str, object]) -> dict[str, float]:
    """The values that are numbers, as floats; a truth value is none."""
    return {k: float(v) for k, v in values.items() if isinstance(v, (int, float)) and not isinstance(v, bool)}


def without_password(text: str) -> str:
    """The text with addresses that name no user and password: a library's message may quote its server's."""
    return re.sub(r"//[^/@\s]*@", "//", text)


def _bare(value: Any) -> Any:
    """A number stays one, also where it is not finite; anything else as `plain` has it."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    return value if isinstance(value, float) else plain(value)
