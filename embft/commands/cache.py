"""What lies in the cache of stages: how much, which runs use it, why a stage was not reused, whether it is whole, what may go."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from embft.damaged import locked, remove
from embft.errors import EmbftError, RunError
from embft.files import read_json
from embft.runs.made_from import NAME
from embft.scaling.left_over import left_over, shards_of
from embft.stages import RECORD, faults_of

_DAY = 86_400.0
_MOST_NAMED = 6
_UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class Entry:
    """A result of a stage.

    Attributes:
        folder: Where it lies; its name is the key.
        stage: Its stage.
        size: Bytes.
        changed: When it was built, in seconds since 1970.
        runs: The runs that use it.
    """

    folder: Path
    stage: str
    size: int
    changed: float
    runs: tuple[Path, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line. Returns 0; 1 where ``verify`` found damage; 2 for a mistake."""
    parser = argparse.ArgumentParser(
        description="What lies in the cache of stages: how much, which runs use it, whether it is whole, what may go."
    )
    parser.add_argument(
        "--cache", type=Path, default=Path("outputs/cache"), metavar="DIR", help="cache_dir of the runs"
    )
    parser.add_argument(
        "--runs",
        type=Path,
        action="append",
        metavar="DIR",
        help="where runs and sweeps lie (default: outputs; may be repeated)",
    )
    parser.add_argument(
        "--shards", type=Path, metavar="DIR", help="scale.folder of the runs (default: the folder shards of the cache)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="sizes by stage, and how much no run uses")
    why = commands.add_parser(
        "why", help="why the stages of a run were built anew: what differs from the closest one before"
    )
    why.add_argument("run", type=Path, metavar="RUN", help="a run's folder")
    commands.add_parser("verify", help="checks every file against its digest")
    prune = commands.add_parser("prune", help="deletes what no run uses, and work on other machines that is left over")
    prune.add_argument("--older-than", type=float, default=7, metavar="DAYS", help="leave what is newer (default: 7)")
    prune.add_argument("--yes", action="store_true", help="delete; without it, only say what would go")
    options = parser.parse_args(arguments)
    try:
        if not (options.cache / "stages").is_dir():
            raise RunError(
                f"{options.cache} is no cache: it has no folder 'stages'. Give --cache DIR, the cache_dir of a run."
            )
        places = options.runs or [Path("outputs")]
        shards = options.shards or shards_of(None, options.cache)
        entries = list(_entries(options.cache, _users(places)))
        if options.command == "list":
            _list(entries, options.cache)
            _list_left_over(shards)
        elif options.command == "why":
            _why(options.run, entries)
        elif options.command == "verify":
            return _verify(entries)
        else:
            _prune(entries, places, options.older_than, options.yes)
            _prune_left_over(shards, options.older_than, options.yes)
    except EmbftError as error:
        print(f"cache: {error}", file=sys.stderr)
        return 2
    return 0


def _users(places: Sequence[Path]) -> dict[tuple[str, str], list[Path]]:
    """By stage and key, the runs that use it."""
    users: dict[tuple[str, str], list[Path]] = {}
    for place in places:
        for file in sorted(place.rglob(NAME)):
            try:
                stages: Mapping[str, Sequence[str]] = read_json(file)["stages"]
            except (OSError, ValueError, KeyError):
                continue
            for stage, keys in stages.items():
                for key in keys:
                    users.setdefault((stage, key), []).append(file.parent)
    return users


def _entries(cache: Path, users: Mapping[tuple[str, str], Sequence[Path]]) -> Iterator[Entry]:
    for folder in sorted((cache / "stages").glob("*/*")):
        if folder.is_dir() and not folder.name.startswith("."):
            stage = folder.parent.name
            runs = tuple(users.get((stage, folder.name), ()))
            yield Entry(folder, stage, _size(folder), folder.stat().st_mtime, runs)


def _size(place: Path) -> int:
    if place.is_file():
        return place.stat().st_size
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())


def _list(entries: Sequence[Entry], cache: Path) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("stage")
    for head in ("results", "size", "by no run", "size", "used by runs"):
        table.add_column(head, justify="right")
    for stage in dict.fromkeys(entry.stage for entry in entries):
        own = [entry for entry in entries if entry.stage == stage]
        table.add_row(stage, *_counts(own))
    table.add_row("all", *_counts(entries), style="bold")
    console = Console(highlight=False)
    console.print(table)
    for other in sorted(cache.iterdir()):
        if other.name != "stages" and not other.name.startswith("."):
            console.print(f"{other.name}: {_bytes(_size(other))}", highlight=False)


def _counts(entries: Sequence[Entry]) -> list[str]:
    unused = [entry for entry in entries if not entry.runs]
    runs = {run for entry in entries for run in entry.runs}
    return [str(len(entries)), _bytes(_sum(entries)), str(len(unused)), _bytes(_sum(unused)), str(len(runs))]


def _sum(entries: Iterable[Entry]) -> int:
    return sum(entry.size for entry in entries)


def _why(run: Path, entries: Sequence[Entry]) -> None:
    """For each stage of a run, what differs from the closest result that was there before.

    Raises:
        RunError: It is no run, or one of an older version.
    """
    try:
        stages: Mapping[str, Sequence[str]] = read_json(run / NAME)["stages"]
    except (OSError, ValueError, KeyError):
        raise RunError(f"{run} has no {NAME}: it is no run, or one of an older version of embft.") from None
    for stage, keys in stages.items():
        for key in keys:
            own = next((entry for entry in entries if (entry.stage, entry.folder.name) == (stage, key)), None)
            print(f"{stage} {key}: {_reason(own, entries)}")


def _reason(own: Entry | None, entries: Sequence[Entry]) -> str:
    if own is None:
        return "is not in the cache any more"
    before = [one for one in entries if one.stage == own.stage and one.changed < own.changed]
    if not before:
        return "was the first of its stage"
    listed = [(_differences(one.folder, own.folder), one) for one in before]
    fewest, closest = min(listed, key=lambda pair: (len(pair[0]), -pair[1].changed))
    shown = "; ".join(fewest[:_MOST_NAMED]) + (
        f"; and {len(fewest) - _MOST_NAMED} more" if fewest[_MOST_NAMED:] else ""
    )
    return f"differs from {closest.folder.name} in {shown}" if shown else f"is as {closest.folder.name}"


def _differences(there: Path, here: Path) -> list[str]:
    """What of two keys' parts differs: ``training.epochs=1, was 2``, ``the code``, ``inputs``."""
    old, new = _parts(there), _parts(here)
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    return [key if key in {"inputs", "the code"} else f"{key}={new.get(key)}, was {old.get(key)}" for key in keys]


def _parts(folder: Path) -> dict[str, str]:
    try:
        record = read_json(folder / RECORD)
        libraries = {f"library {name}": version for name, version in record["libraries"].items()}
        settings = {name: json.dumps(value)[:60] for name, value in record["settings"].items()}
        return {**settings, "inputs": json.dumps(record["inputs"]), "the code": record["code"], **libraries}
    except (OSError, ValueError, KeyError):
        return {}


def _verify(entries: Sequence[Entry]) -> int:
    damaged = [(entry, faults) for entry in entries if (faults := faults_of(entry.folder))]
    for entry, faults in damaged:
        print(f"{entry.folder}: {', '.join(faults[:_MOST_NAMED])} does not hold what was written")
    whole = len(entries) - len(damaged)
    print(f"{whole} of {len(entries)} results are whole, {_bytes(_sum(entries))} were read.")
    if damaged:
        print("Damaged ones are made again when they are needed; nothing has to be done.")
    return 1 if damaged else 0


def _prune(entries: Sequence[Entry], places: Sequence[Path], days: float, sure: bool) -> None:
    """Deletes what no run uses and is old enough.

    Raises:
        RunError: No folder holds a run, so that all would go.
    """
    if not any(entry.runs for entry in entries):
        listed = ", ".join(map(str, places))
        raise RunError(
            f"no run in {listed} says what it uses, so all would go. Give --runs DIR, or delete the cache yourself."
        )
    unused = [one for one in entries if not one.runs and one.changed < time.time() - days * _DAY]
    for entry in unused:
        print(f"{entry.stage} {entry.folder.name}: {_bytes(entry.size)}")
        if sure:
            with locked(entry.folder.parent / f".{entry.folder.name}.lock"):
                remove(entry.folder)
    what = f"{len(unused)} of {len(entries)} results, {_bytes(_sum(unused))}"
    print(f"Deleted: {what}." if sure else f"Would be deleted: {what}. Add --yes to delete them.")


def _list_left_over(shards: Path) -> None:
    for work in left_over(shards):
        days = (time.time() - work.changed) / _DAY
        print(
            f"{work.folder}: {_bytes(work.size)}, work on other machines whose last sign of life was {days:.1f} days ago"
        )


def _prune_left_over(shards: Path, days: float, sure: bool) -> None:
    found = list(left_over(shards, days))
    for work in found:
        print(f"{work.folder}: {_bytes(work.size)}")
    gone = [work for work in found if sure and work.delete()]
    for work in found if sure else ():
        if work not in gone:
            print(f"{work.folder} is left: somebody was at it within the last hour.")
    if found:
        listed = gone if sure else found
        what = f"work on other machines in {len(listed)} of {len(found)} folders, {_bytes(sum(one.size for one in listed))}"
        print(f"Deleted: {what}." if sure else f"Would be deleted: {what}. A run that needs it begins it anew.")


def _bytes(count: float) -> str:
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 or count >= 100 else f"{count:.1f} {_UNITS[unit]}"
