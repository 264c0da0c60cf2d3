"""Composes configurations as Hydra would, without running anything: from a tree of files and a list of overrides."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hydra import version
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import setup_globals
from hydra.errors import ConfigCompositionException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from embft.config import GROUPS, MOVED_KEYS, ExperimentConfig
from embft.config.keys import all_keys
from embft.config.untrained import leave_out_tuned
from embft.errors import ConfigError


class ConfigTree:
    """The files that configurations are composed from.

    Args:
        config_dir: The folder of the primary configuration.
        config_name: Its name.
        extra_dir: A folder that is looked through too (``--config-dir``).

    Raises:
        ConfigError: A folder is not there.
    """

    def __init__(self, config_dir: Path, config_name: str = "config", extra_dir: str | None = None) -> None:
        version.setbase("1.3")
        setup_globals()
        place = str(config_dir)
        search_path = create_config_search_path(place if "://" in place else str(config_dir.absolute()))
        if extra_dir is not None:
            folder = Path(extra_dir).absolute()
            if not folder.is_dir():
                raise ConfigError([f"--config-dir {extra_dir}: there is no such folder (looked at {folder})."])
            search_path.prepend("command-line", f"file://{folder}", SearchPathQuery(provider="schema"))
        self._loader = ConfigLoaderImpl(search_path)
        self._name = config_name
        self._options: dict[str, list[str]] = {}
        self._composed: dict[tuple[str, ...], Composed] = {}

    def options(self, group: str) -> list[str]:
        """The names of a group's files; empty for a group that is not there."""
        if group not in self._options:
            self._options[group] = list(self._loader.get_group_options(group, ObjectType.CONFIG))
        return self._options[group]

    def defaults(self) -> dict[str, str]:
        """The file of each group that is taken where none is chosen."""
        return {str(group): str(name) for group, name in self.compose([]).whole.hydra.runtime.choices.items() if name}

    def compose(self, overrides: Sequence[str]) -> Composed:
        """One job's configuration. Files that were composed before are not composed again for other values.

        Raises:
            HydraException, OmegaConfBaseException: It cannot be composed.
        """
        files = tuple(override for override in overrides if _chooses(override))
        if files not in self._composed:
            if len(self._composed) > _KEPT:
                self._composed.clear()
            whole = self._loader.load_configuration(self._name, list(files), RunMode.RUN)
            self._composed[files] = Composed(without_hydra(whole), whole)
        composed = self._composed[files]
        if len(files) == len(overrides):
            return composed
        experiment = copy.deepcopy(composed.experiment)
        values = OverridesParser.create().parse_overrides([one for one in overrides if not _chooses(one)])
        try:
            ConfigLoaderImpl._apply_overrides_to_config(values, experiment)
        except OmegaConfBaseException as error:
            raise ConfigCompositionException(str(error)) from error
        return Composed(experiment, composed.whole)


@dataclass(frozen=True)
class Composed:
    """A composed configuration.

    Attributes:
        experiment: The experiment's part.
        whole: With Hydra's part, before values of the experiment were set on the command line.
    """

    experiment: DictConfig
    whole: DictConfig


def _chooses(override: str) -> bool:
    """Whether an override decides which files are composed, or is Hydra's own."""
    key = override.partition("=")[0].lstrip("+~")
    return key in (*GROUPS, "experiment") or key.startswith("hydra") or "/" in key or "@" in key


_KEPT = 128
"""Composed configurations; each is some hundred kilobytes."""


@cache
def config_tree(config_dir: Path, config_name: str = "config", extra_dir: str | None = None) -> ConfigTree:
    """A tree that is read once in a process."""
    return ConfigTree(config_dir, config_name, extra_dir)


def without_hydra(composed: DictConfig) -> DictConfig:
    """The experiment's part of a composed configuration."""
    if "hydra" not in composed:
        return composed
    part = copy.copy(composed)
    with open_dict(part):
        del part["hydra"]
    return part


def as_config(composed: Any) -> ExperimentConfig:
    """Turns a composed configuration into plain dataclasses.

    Raises:
        ConfigError: A key that the schema does not have (``+group.typo=1`` gets past Hydra), or a wrong type.
    """
    from embft.config.problems import problems

    try:
        config = OmegaConf.to_object(composed)
    except (OmegaConfBaseException, TypeError) as error:
        raise ConfigError([plain_message(error)]) from error
    if not isinstance(config, ExperimentConfig):
        raise ConfigError(
            [
                "This configuration is no experiment: its defaults must begin with experiment_schema, as in configs/config.yaml."
            ]
        )
    known = list(all_keys())
    unknown = sorted(key for key in set(_leaves(composed)) - set(known))
    if unknown:
        raise ConfigError([*(_unknown(key) for key in unknown), *problems(config)])
    return leave_out_tuned(config)


def plain_message(error: BaseException) -> str:
    """Hydra's or OmegaConf's message in one sentence, with the full key."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return plain_message(error.__cause__) if error.__cause__ else type(error).__name__
    key = next((line.partition(":")[2].strip() for line in lines if line.startswith("full_key:")), "")
    first = lines[0]
    if "missing mandatory value" in first.lower():
        name = first.rpartition(": ")[2]
        return f"{name} is missing: choose {name}=..., see python run.py --help."
    if isinstance(error.__cause__, OmegaConfBaseException) and first.startswith(("Error", "Could not")):
        first = f"{first.removesuffix('.')}: {plain_message(error.__cause__)}"
    first = re.sub(r"^\w+ raised while resolving interpolation: ", "", first).strip('"')
    return f"{key}: {first}" if key and key not in first else first


def _unknown(key: str) -> str:
    from embft.config.hints import meant_by, members

    if moved := MOVED_KEYS.get(key):
        return f"{key} is gone; in its place: {moved}."
    group = key.rpartition(".")[0]
    hint = meant_by(key)
    has = f" {group} has: {', '.join(members(group))}." if not hint and group and members(group) else ""
    return f"{key} is unknown.{hint}{has}"


def _leaves(composed: Any, prefix: str = "") -> list[str]:
    keys = []
    for key in composed:
        value = composed._get_node(key)
        name = f"{prefix}{key}"
        if OmegaConf.is_dict(value) and not value._is_none() and not value._is_missing():
            below = _leaves(value, f"{name}.")
            keys.extend(below or [name])
        else:
            keys.append(name)
    return keys
