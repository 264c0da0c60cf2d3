"""Every key of the configuration, read off the schema: its type, default, limits and meaning. Needs no Hydra."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from omegaconf import MISSING as NOT_GIVEN

from embft.config import GROUPS, ExperimentConfig

_WORDS = {int: "whole number", float: "number", bool: "true or false", str: "text"}


@dataclass(frozen=True)
class Key:
    """One value that can be set.

    Attributes:
        name: In full: ``training.lora_rank``.
        type: ``int``, ``float``, ``bool`` or ``str``; of the items, where it is a list.
        is_list: It holds several values.
        optional: It may be null.
        default: Of the schema; a file of the group may set another one.
        limits: ``choices``, or ``low``, ``high`` and ``above``; empty where any value of the type will do.
        meaning: One or more sentences.
    """

    name: str
    type: type
    is_list: bool
    optional: bool
    default: Any
    limits: Mapping[str, Any]
    meaning: str

    @property
    def group(self) -> str:
        """The group that it belongs to; empty where it belongs to none, as ``seed`` and ``reporting.language``."""
        group = self.name.partition(".")[0]
        return group if group in GROUPS else ""

    @property
    def leaf(self) -> str:
        """The last word of its name."""
        return self.name.rpartition(".")[2]

    @property
    def kind(self) -> str:
        """Its type in words."""
        if "choices" in self.limits:
            return "one of a few words"
        words = _WORDS[self.type]
        return f"list of {words}s" if self.is_list else words

    @property
    def bounds(self) -> str:
        """Its limits in words; empty where there are none."""
        if "choices" in self.limits:
            return ", ".join(self.limits["choices"])
        low, high, above = (self.limits.get(name) for name in ("low", "high", "above"))
        if above is not None:
            return f"greater than {above:g}"
        if low is not None and high is not None:
            return f"{_figure(low)} to {_figure(high)}"
        return f"at least {_figure(low)}" if low is not None else ""

    @property
    def example(self) -> str:
        """A value that it takes, as it is typed."""
        if "choices" in self.limits:
            return str(self.limits["choices"][0])
        if self.is_list:
            items = self.default or (["a", "b"] if self.type is str else [1, 2])
            return f"[{','.join(str(item) for item in items)}]"
        if self.default is not None and self.default != NOT_GIVEN:
            return str(self.default).lower() if self.type is bool else f"{self.default}"
        return {int: "10", float: "0.5", bool: "true", str: "TEXT"}[self.type]


@cache
def all_keys() -> Mapping[str, Key]:
    """Every key by its full name, in the schema's order."""
    return {key.name: key for key in _keys_of(ExperimentConfig, "")}


def _keys_of(schema: type, prefix: str) -> Iterator[Key]:
    hints, meanings = get_type_hints(schema), _meanings(schema)
    for item in fields(schema):
        name, hint = prefix + item.name, hints[item.name]
        if not prefix and item.name in GROUPS:
            yield from _keys_of(GROUPS[item.name], f"{item.name}.")
        elif is_dataclass(hint):
            assert isinstance(hint, type)
            yield from _keys_of(hint, f"{name}.")
        else:
            yield _key(name, hint, item, meanings.get(item.name, ""))


def _key(name: str, hint: Any, item: Field[Any], meaning: str) -> Key:
    optional = get_origin(hint) is UnionType and NoneType in get_args(hint)
    if optional:
        hint = next(part for part in get_args(hint) if part is not NoneType)
    is_list = get_origin(hint) is list
    default = item.default if item.default_factory is MISSING else item.default_factory()
    return Key(name, get_args(hint)[0] if is_list else hint, is_list, optional, default, item.metadata, meaning)


def _meanings(schema: type) -> dict[str, str]:
    """The string below each field of a dataclass."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(schema))).body
    assert isinstance(body, ast.ClassDef)
    meanings = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            meanings[field.target.id] = inspect.cleandoc(str(below.value.value)).replace("\n", " ")
    return meanings


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 10_000 else f"{value:g}"
