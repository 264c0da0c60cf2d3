"""The reference of every key, written from the schema: docs/reference.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from omegaconf import MISSING

from embft.config import GROUPS
from embft.config.help import MEANINGS
from embft.config.keys import Key, all_keys
from embft.config.usage import conditions

_HEAD = """\
# Every key

Written from the schema by `python scripts/reference.py`; do not edit. How values are set: [configuration.md](configuration.md).

The default is that of the schema. A file of the group may set another one: `python run.py --cfg job GROUP=NAME` prints what would
run. `null` means none. A key that is set on the command line and not read under the choices made is refused; *read with* says
when it is read.
"""


def reference(options: Mapping[str, Sequence[str]]) -> str:
    """The whole page, in Markdown.

    Args:
        options: The files of each group.
    """
    parts = [_HEAD, "## Other values\n", _table([key for key in all_keys().values() if not key.group])]
    for group in GROUPS:
        names = ", ".join(f"`{name}`" for name in options.get(group, ()) if name != "schema")
        parts.append(f"## {group}\n\n{MEANINGS[group][0].upper()}{MEANINGS[group][1:]}. `{group}=` {names}.\n")
        parts.append(_table([key for key in all_keys().values() if key.group == group]))
    return "\n".join(parts)


def _table(keys: Sequence[Key]) -> str:
    rows = ["| key | type | default | limits | meaning |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*rows, *_rows(keys), ""])


def _rows(keys: Sequence[Key]) -> Iterator[str]:
    for key in keys:
        meaning = key.meaning.replace("``", "`").replace("|", "\\|")
        needed = [condition.words for condition in conditions().get(key.name, ())]
        read = f" *Read with {'; '.join(needed)}.*" if needed else ""
        yield f"| `{key.name}` | {key.kind} | {_default(key)} | {key.bounds} | {meaning}{read} |"


def _default(key: Key) -> str:
    if key.default == MISSING:
        return "the file's"
    if key.default is None:
        return "`null`"
    if key.is_list:
        return f"`[{', '.join(str(item) for item in key.default)}]`"
    return f"`{str(key.default).lower() if key.type is bool else key.default}`"
