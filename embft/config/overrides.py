"""One override of a command line: read, put into Hydra's grammar where it is clear what is meant, else explained.

Hydra's grammar wants quotes around most of what file names are made of: letters that are not ASCII, ``=``, ``#``, brackets.
A key that holds text takes it as it was typed. What could mean two things is refused with a sentence that shows both.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Glob, Override, Sweep
from hydra.errors import HydraException
from omegaconf import BooleanNode, FloatNode, IntegerNode, StringNode
from omegaconf.errors import OmegaConfBaseException

from embft.config import MOVED_KEYS
from embft.config.group_choices import GROUP_NAMES, choice_problem
from embft.config.hints import meant_by, members
from embft.config.keys import Key, all_keys

_NODES: Mapping[type, Any] = {int: IntegerNode, float: FloatNode, bool: BooleanNode, str: StringNode}
_KINDS: Mapping[type, str] = {int: "A whole number", float: "A number", bool: "true or false", str: "Text"}
_DOCUMENTS = (".pdf", ".md", ".html", ".htm", ".txt", ".docx", ".pptx", ".xlsx", ".epub", ".csv", ".jsonl", ".json")


@dataclass(frozen=True)
class Setting:
    """An override that can be composed.

    Attributes:
        text: For Hydra.
        key: What it sets: ``training.epochs``, or a group.
        values: Each value of a sweep; one otherwise. Empty where a sweep has bounds instead of values.
    """

    text: str
    key: str
    values: tuple[Any, ...]

    @property
    def is_group(self) -> bool:
        """Whether it chooses a file of a group."""
        return self.key in GROUP_NAMES or self.key.startswith("hydra/")


def read_override(argument: str, *, sweep: bool, options: Mapping[str, Sequence[str]]) -> Setting | str:
    """Returns what an argument sets, or a sentence that says what is wrong with it.

    Args:
        argument: One argument, as the shell gave it.
        sweep: Whether several values of a key are allowed (``-m``).
        options: The files of each group; a group that is missing is not checked.
    """
    match = re.fullmatch(r"(\+\+|\+|~)?([^=]*?)\s*=(.*)", argument, re.DOTALL)
    if match is None:
        return _without_value(argument)
    sign, key, raw = (match[1] or "", match[2].strip(), match[3])
    if not key:
        return f"'{argument}' sets nothing: write KEY=VALUE, without spaces around the equals sign."
    if key.startswith("hydra.") or "@" in key or "/" in key:
        return _read_hydra(argument, key, raw)
    if problem := _key_problem(sign, key, raw):
        return problem
    if key in GROUP_NAMES:
        return _read_choice(key, raw, sweep, options)
    known = all_keys().get(key)
    if known is None:  # a part of a group, set as a whole: {a:1,b:2}
        parsed = _parsed(key, raw)
        if isinstance(parsed, str) or not isinstance(parsed.value(), dict):
            return (
                f"{key} is a part of the configuration with keys of its own: {key}.{members(key)[0]}=..., for example."
            )
        return Setting(f"{sign}{key}={raw}", key, (parsed.value(),))
    if known.is_list:
        return _read_list(sign, known, raw, sweep)
    return _read_text(sign, known, raw, sweep) if known.type is str else _read_plain(sign, known, raw, sweep)


def shell(text: str) -> str:
    """An argument as it is typed into a shell."""
    if re.fullmatch(r"[\w./:=,@%+\[\]-]+", text, re.ASCII) and "[" not in text:
        return text
    return f'"{text}"' if not re.search(r'[$`"\\!]', text) else shlex.quote(text)


def quoted(text: str) -> str:
    """Text in quotes, for Hydra's grammar."""
    mark = '"' if "'" in text and '"' not in text else "'"
    escaped = re.sub(rf"(\\*)(?={mark}|$)", lambda slashes: slashes[1] * 2, text).replace(mark, f"\\{mark}")
    return f"{mark}{escaped}{mark}"


def _without_value(argument: str) -> str:
    if not argument.strip():
        return "An argument is empty: leave it out, or check the shell variable that it comes from."
    name = argument.lstrip("+~")
    if argument.startswith("~"):
        return f"{argument} would take {name} out, and embft needs it: leave that out, or set {name}=VALUE."
    if name.startswith("-"):
        hint = meant_by(name)
        return f"{argument} is no option of run.py.{hint or ' Settings are written KEY=VALUE, without dashes.'}"
    if name in all_keys() or name in GROUP_NAMES:
        return f"{name} has no value: write {name}=VALUE, without spaces around the equals sign."
    if name.lower().endswith(_DOCUMENTS) or Path(name).exists():
        return f"{argument} is not KEY=VALUE. Did you mean {shell(f'corpus.path={argument}')}?"
    return f"{argument} is not KEY=VALUE.{meant_by(name)} python run.py --help lists what can be set."


def _key_problem(sign: str, key: str, raw: str) -> str:
    if moved := MOVED_KEYS.get(key):
        return f"{key} is gone; in its place: {moved}."
    known = key in all_keys() or key in GROUP_NAMES or bool(members(key))
    if not known:
        group = key.rpartition(".")[0]
        hint = meant_by(key, raw)
        has = f" {group} has: {', '.join(members(group))}." if not hint and group and members(group) else ""
        plus = (
            f" (A + adds a key that embft does not know, so it would not be read: {sign}{key}.)"
            if sign and not hint
            else ""
        )
        return f"{key} is unknown.{hint}{has}{plus}"
    if sign == "~":
        return f"~{key} would take {key} out, and embft needs it: set {key}=VALUE instead."
    if sign == "+":
        return f"+{key} is there already: leave out the +, as in {shell(f'{key}={raw}')}."
    return ""


def _read_hydra(argument: str, key: str, raw: str) -> Setting | str:
    parsed = _parsed(key, raw, argument)
    if not isinstance(parsed, str):
        if parsed.is_sweep_override() and key.startswith("hydra."):
            as_text = shell(f"{key}={quoted(raw)}")
            return f"{key}={raw} holds a comma: quote it, as in {as_text}. Hydra's own settings are not swept."
        return Setting(argument, key, ())
    if key.startswith("hydra.") and not re.search(r"[,{}\[\]]|\w\(", raw):
        return Setting(f"{key}={quoted(raw)}", key, ())
    return f"{key}={raw} cannot be read. Text with such characters is quoted twice: {shell(f'{key}={quoted(raw)}')}."


def _read_choice(key: str, raw: str, sweep: bool, options: Mapping[str, Sequence[str]]) -> Setting | str:
    value = raw.strip()
    if not value:
        return f"{key}= is empty: check the shell variable that it comes from, or leave it out."
    parsed = _parsed(key, value)
    names: Sequence[Any] = [value]
    if not isinstance(parsed, str):
        if isinstance(parsed.value(), list):
            return f"{key}={value}: one file is chosen, {key}=NAME; several make a sweep: -m {key}=NAME,NAME."
        values = _values(parsed)
        if parsed.is_sweep_override() and not sweep:
            return f"{key}={value} names several files, which makes a sweep: add -m."
        names = values
        if isinstance(glob := parsed._value, Glob):
            names = glob.filter([name for name in options.get(key, ()) if name != "schema"])
            if not names:
                return f"{key}={value} matches no file. Choices: {', '.join(options.get(key, ()))}."
    for name in names:
        if problem := choice_problem(key, "null" if name is None else str(name), options.get(key)):
            return problem
    return Setting(f"{key}={value}", key, tuple(names))


def _read_text(sign: str, key: Key, raw: str, sweep: bool) -> Setting | str:
    text = raw if key.leaf.endswith("_prompt") else raw.strip()
    name = f"{sign}{key.name}"
    if not text and not key.leaf.endswith("_prompt"):
        none = f" {key.name}=null sets none." if key.optional else ""
        return f"{key.name}= is empty: check the shell variable that it comes from.{none}"
    parsed = _parsed(key.name, text)
    inside_quotes = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    if isinstance(parsed, str):
        if "," in text and (sweep or not inside_quotes) and "${" not in text:
            return _comma(key, text, sweep)
        return Setting(f"{name}={quoted(text)}", key.name, (text,))
    if isinstance(parsed._value, Sweep):
        if not sweep:
            return _comma(key, text, sweep)
        return Setting(f"{name}={text}", key.name, tuple(str(value) for value in _values(parsed)))
    value = parsed.value()
    if value is None:
        if key.optional:
            return Setting(f"{name}=null", key.name, (None,))
        return f"{key.name}=null: it must have a value, such as {key.name}={key.example}."
    as_typed = isinstance(value, str) and (value == text or inside_quotes or "\\" in text)
    if as_typed:
        return Setting(f"{name}={text}", key.name, (value,))
    return Setting(f"{name}={quoted(text)}", key.name, (text,))


def _comma(key: Key, text: str, sweep: bool) -> str:
    parts = [part.strip() for part in text.split(",")]
    many = ",".join(part if re.fullmatch(r"[\w./-]+", part, re.ASCII) else quoted(part) for part in parts)
    one, several = shell(f"{key.name}={quoted(text)}"), shell(f"{key.name}={many}")
    return (
        f"{key.name}={text} holds a comma, which can mean two things. One value with a comma in it: {one}. "
        f"Several values, a sweep: {'' if sweep else '-m '}{several}."
    )


def _read_list(sign: str, key: Key, raw: str, sweep: bool) -> Setting | str:
    text = raw.strip()
    parsed = _parsed(key.name, text)
    if not isinstance(parsed, str):
        values = _values(parsed)
        if all(isinstance(value, list) for value in values) and (sweep or not parsed.is_sweep_override()):
            for item in (item for value in values for item in value):
                if problem := _type_problem(key, item):
                    return problem
            return Setting(f"{sign}{key.name}={text}", key.name, tuple(values))
        if isinstance(parsed.value(), str) and str(parsed.value()).startswith("${"):
            return Setting(f"{sign}{key.name}={text}", key.name, ())
    parts = [part.strip().strip("'\"") for part in text.strip("[]").split(",") if part.strip()]
    items = [part if re.fullmatch(r"[\w@./-]+", part, re.ASCII) else quoted(part) for part in parts]
    in_brackets = shell(f"{key.name}=[{','.join(items)}]")
    return f"{key.name}={text} is not a list. Write it in brackets: {in_brackets}."


def _read_plain(sign: str, key: Key, raw: str, sweep: bool) -> Setting | str:
    text = raw.strip()
    parsed = _parsed(key.name, text)
    if isinstance(parsed, str):
        return f"{key.name}={text} cannot be read. {_wanted(key)}"
    setting = Setting(f"{sign}{key.name}={text}", key.name, tuple(_values(parsed)))
    if parsed.is_sweep_override() and not sweep:
        return f"{key.name}={text} has several values, which makes a sweep: add -m."
    for value in setting.values:
        if problem := _type_problem(key, value):
            return problem
    return setting


def _type_problem(key: Key, value: Any) -> str:
    if isinstance(value, str) and "${" in value:
        return ""
    try:
        _NODES[key.type](value=value, is_optional=key.optional)
    except (OmegaConfBaseException, ValueError, OverflowError) as error:
        message = str(error).splitlines()[0].removesuffix(".")
        message = message.replace("$VALUE_TYPE", type(value).__name__).replace("$VALUE", str(value))
        return f"{key.name}={'null' if value is None else value}: {message}. {_wanted(key)}"
    return ""


def _wanted(key: Key) -> str:
    kind = _KINDS[key.type] if not key.is_list else f"list of {key.type.__name__}s"
    return f"{kind} is wanted, such as {key.name}={key.example}."


def _values(parsed: Override) -> list[Any]:
    """The values of a sweep, as each would be set; none where it has bounds; else the one value."""
    if not parsed.is_sweep_override():
        return [parsed.value()]
    if parsed.is_choice_sweep() and isinstance(parsed._value, ChoiceSweep):
        return [Override._convert_value(value) for value in parsed._value.list]
    if parsed.is_range_sweep():
        return list(parsed.sweep_iterator())
    return []


def _parsed(key: str, raw: str, argument: str = "") -> Override | str:
    """Hydra's reading, or its message."""
    try:
        return OverridesParser.create().parse_overrides([argument or f"{key}={raw}"])[0]
    except HydraException as error:
        return str(error)
