"""Checks a command line before Hydra runs it: every typo, wrong type and impossible combination at once.

Hydra alone stops at the first, tells it in its own terms, and in a sweep only when the job's turn comes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from embft.config import MOVED_KEYS, ExperimentConfig
from embft.config.problems import problems
from embft.errors import ConfigError, nearest

_MOST_JOBS = 64
"""Combinations of a sweep that are checked beforehand; each job checks its own in any case."""


def as_config(composed: Any) -> ExperimentConfig:
    """Turns a composed configuration into plain dataclasses.

    Raises:
        ConfigError: A key that the schema does not have (``+group.typo=1`` gets past Hydra), or a wrong type.
    """
    try:
        config = OmegaConf.to_object(composed)
    except (OmegaConfBaseException, TypeError) as error:
        raise ConfigError([_plain(str(error))]) from error
    if not isinstance(config, ExperimentConfig):
        raise ConfigError(
            ["The configuration is not an experiment: configs/config.yaml must begin with experiment_schema."]
        )
    known = _known_keys(config)
    unknown = sorted(set(_keys(composed)) - set(known))
    if unknown:
        raise ConfigError([*(_unknown(key, known) for key in unknown), *problems(config)])
    return config


def command_line_problems(overrides: Sequence[str], config_dir: Path, config_name: str = "config") -> list[str]:
    """Returns what is wrong with a list of Hydra overrides, in plain sentences; empty if nothing is.

    Args:
        overrides: As on the command line; sweeps (``a=1,2``) are checked value by value.
        config_dir: Absolute path of the config tree.
    """
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    except HydraException as error:
        return [_first_line(str(error))]
    own = [override for override in parsed if not (override.key_or_group or "").startswith("hydra")]
    found: dict[str, None] = {}
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(config_dir), version_base="1.3"):
        for combination in _combinations(own):
            found.update(dict.fromkeys(_problems_of(combination, config_name)))
    GlobalHydra.instance().clear()
    return list(found)


def _combinations(overrides: Sequence[Override]) -> list[list[str]]:
    """Values to try: each value of each sweep stands in at least one."""
    values: list[list[str]] = []
    for override in overrides:
        if override.is_interval_sweep() or override.is_range_sweep():
            continue  # numbers between bounds: the schema's type check meets them in the job
        if override.is_sweep_override():
            values.append([f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()])
        else:
            values.append([override.input_line or ""])
    if not values:
        return [[]]
    rows = zip_longest(*values)
    return [[value if value is not None else values[place][0] for place, value in enumerate(row)] for row in rows][
        :_MOST_JOBS
    ]


def _problems_of(overrides: Sequence[str], config_name: str) -> list[str]:
    try:
        composed = compose(config_name, overrides=list(overrides))
    except (HydraException, OmegaConfBaseException) as error:
        return _one_by_one(overrides, config_name) or [_first_line(str(error))]
    try:
        return problems(as_config(composed))
    except ConfigError as error:
        return error.problems


def _one_by_one(overrides: Sequence[str], config_name: str) -> list[str]:
    """Finds every override that cannot be composed, and what is wrong with the rest."""
    found: list[str] = []
    good: list[str] = []
    # Groups first: model=e5_small decides which keys model.* has.
    for override in sorted(overrides, key=lambda text: "." in text.partition("=")[0]):
        try:
            compose(config_name, overrides=[*good, override])
            good.append(override)
        except (HydraException, OmegaConfBaseException) as error:
            found.append(_explain(override, error, compose(config_name, overrides=good)))
    composed = compose(config_name, overrides=good)
    try:
        found.extend(problems(as_config(composed)))
    except ConfigError as error:
        found.extend(error.problems)
    return found


def _explain(override: str, error: Exception, composed: Any) -> str:
    message = str(error)
    key, _, value = override.partition("=")
    key = key.lstrip("+~")
    if match := re.search(r"Could not find '([^']+)/([^'/]+)'", message):
        group, name = match.groups()
        options = re.findall(r"^\t(.+)$", message.partition("search path")[0], re.MULTILINE)
        options = [option for option in options if option != "schema"]
        return f"{group}={name} is unknown.{nearest(name, options)} Choices: {', '.join(options)}."
    if "Could not override" in message or "is not in struct" in message or "no match in the defaults" in message:
        return _unknown(key, _keys(composed))
    return f"{key}={value}: {_plain(str(error.__cause__ or error))}"


def _unknown(key: str, known: Sequence[str]) -> str:
    if moved := MOVED_KEYS.get(key):
        return f"{key} is gone; in its place: {moved}."
    group, _, name = key.rpartition(".")
    siblings = [other.rpartition(".")[2] for other in known if other.rpartition(".")[0] == group]
    hint = nearest(name, siblings)
    if hint:
        hint = hint.replace(f"'{_quoted(hint)}'", f"'{group}.{_quoted(hint)}'" if group else f"'{_quoted(hint)}'")
    elif far := nearest(name, [other.rpartition(".")[2] for other in known]):
        full = next(other for other in known if other.rpartition(".")[2] == _quoted(far))
        hint = f" Did you mean '{full}'?"
    return f"{key} is unknown.{hint}" + (f" {group} has: {', '.join(siblings)}." if siblings and not hint else "")


def _quoted(text: str) -> str:
    return text.split("'")[1]


def _keys(composed: Any, prefix: str = "") -> list[str]:
    keys = []
    for key in composed:
        value = composed._get_node(key)
        keys.append(f"{prefix}{key}")
        if OmegaConf.is_dict(value) and not value._is_none() and not value._is_missing():
            keys.extend(_keys(value, f"{prefix}{key}."))
    return keys


def _known_keys(config: ExperimentConfig) -> list[str]:
    return _keys(OmegaConf.structured(type(config)(**vars(config))))


def _plain(message: str) -> str:
    """OmegaConf's message in one sentence, with the full key."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    full_key = next((line.partition(":")[2].strip() for line in lines if line.startswith("full_key:")), "")
    return f"{full_key}: {lines[0]}" if full_key and full_key not in lines[0] else lines[0]


def _first_line(message: str) -> str:
    return next((line.strip() for line in message.splitlines() if line.strip()), message)
