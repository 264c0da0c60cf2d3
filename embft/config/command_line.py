"""A command line as it was typed, checked before anything runs: every typo, wrong type and impossible combination at once.

Hydra alone stops at the first, tells it in its own terms, and in a sweep only when the job's turn comes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, product, zip_longest
from pathlib import Path

import yaml
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from embft.config import ExperimentConfig
from embft.config.composing import ConfigTree, as_config, config_tree, plain_message
from embft.config.equal_jobs import equal_jobs
from embft.config.group_choices import GROUP_NAMES, choice_problem
from embft.config.overrides import Setting, quoted, read_override
from embft.config.plugins import SUFFIX
from embft.config.problems import problems
from embft.config.usage import unused_problems
from embft.errors import ConfigError

__all__ = ["CheckedLine", "as_config", "check_line", "command_line_problems"]

_EXTRAS = {
    "joblib": "joblib", "submitit": "slurm", "submitit_slurm": "slurm", "submitit_local": "slurm", "ray": "ray",
    "optuna": "optuna",
}  # fmt: skip
"""Launcher or sweeper to the extra that it comes with."""
_CHOOSES_ONE = re.compile(r"\s*(choice|range|glob|sort|shuffle|tag)\(")
"""How a sweep begins; it may have a single value."""
_MOST_JOBS = 64
"""Combinations of a sweep that are checked beforehand; each job checks its own in any case."""


@dataclass(frozen=True)
class CheckedLine:
    """What a command line comes to.

    Attributes:
        overrides: For Hydra, what was implied included.
        notices: What was implied, in sentences.
        problems: What is wrong, in sentences; empty if nothing is.
        unread: Those of them for which an override is left out of ``overrides``.
        configs: What the jobs would run, as far as they were composed.
        launcher: The name of Hydra's launcher.
    """

    overrides: list[str]
    notices: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    configs: list[ExperimentConfig] = field(default_factory=list)
    launcher: str = "basic"


def command_line_problems(
    overrides: Sequence[str], config_dir: Path, config_name: str = "config", *, sweep: bool = True
) -> list[str]:
    """Returns what is wrong with a list of overrides, in plain sentences; empty if nothing is.

    Args:
        overrides: As on the command line; sweeps (``a=1,2``) are checked value by value.
        config_dir: Absolute path of the config tree.
        sweep: Whether several values of a key are allowed.
    """
    return check_line(overrides, config_tree(config_dir, config_name), sweep=sweep).problems


def check_line(arguments: Sequence[str], tree: ConfigTree, *, sweep: bool) -> CheckedLine:
    """Reads and checks the overrides of a command line.

    Args:
        arguments: ``KEY=VALUE`` each, as the shell gave them.
        sweep: Whether it was called with ``-m``.
    """
    faults: dict[str, None] = {}
    settings: list[Setting] = []
    # Other folders may hold more files of a group; which ones is known once it is composed.
    searches_on = any(argument.startswith("hydra.searchpath") for argument in arguments)
    chosen = set() if searches_on else {argument.partition("=")[0].strip("+~ ") for argument in arguments}
    options = {name: tree.options(name) for name in GROUP_NAMES if name in chosen}
    for argument in arguments:
        read = read_override(argument, sweep=sweep, options=options)
        if isinstance(read, str):
            faults[read] = None
        else:
            settings.append(read)
    unread = list(faults)
    implied, notices = _implied(settings)
    rows = _Rows([*settings, *implied], sweep)
    configs = []
    launcher, first = "basic", None
    for row in rows.each_value():
        try:
            composed = tree.compose(row)
            configs.append(as_config(composed.experiment))
            faults |= dict.fromkeys(problems(configs[-1]))
            faults |= dict.fromkeys(_folder_problems(composed.whole, sweep))
            first = composed.whole if first is None else first
            launcher = str(composed.whole.hydra.runtime.choices.get("hydra/launcher", launcher))
        except ConfigError as error:
            faults |= dict.fromkeys(error.problems)
        except (
            HydraException,
            OmegaConfBaseException,
            yaml.YAMLError,
            AssertionError,
            AttributeError,
            ValueError,
            TypeError,
        ) as error:
            faults[_explain(error)] = None
    if configs:
        given = [setting.key for setting in settings]
        unused = unused_problems(given, configs)
        if unused and rows.are_swept:
            unused = unused_problems(unused, [*configs, *_composable(tree, rows.every_combination())])
        # Where another sentence is about the same key, it says more.
        faults |= {words: None for key, words in unused.items() if not any(key in problem for problem in faults)}
    if sweep and searches_on and launcher != "basic":
        faults[
            f"hydra.searchpath does not reach the processes of hydra/launcher={launcher}: give the folder as --config-dir FOLDER."
        ] = None
    if sweep and first is not None and not faults:
        equal, said = equal_jobs(settings, first, configs)
        faults |= dict.fromkeys(equal)
        notices += said
    return CheckedLine(
        [setting.text for setting in (*settings, *implied)], notices, list(faults), unread, configs, launcher
    )


def _implied(settings: Sequence[Setting]) -> tuple[list[Setting], list[str]]:
    """A path to documents says which corpus is meant."""
    chosen = {setting.key for setting in settings}
    paths = [value for setting in settings if setting.key == "corpus.path" for value in setting.values]
    if not any(paths) or {"corpus", "experiment", "corpus.kind"} & chosen:
        return [], []
    return [Setting("corpus=files", "corpus", ("files",))], ["corpus.path is given, so corpus=files is taken."]


class _Rows:
    """The jobs of a command line, as lists of overrides."""

    def __init__(self, settings: Sequence[Setting], sweep: bool) -> None:
        self._values: list[list[str]] = []
        for setting in settings:
            if len(setting.values) > 1 or (setting.values and _CHOOSES_ONE.match(setting.text.partition("=")[2])):
                self._values.append([f"{setting.key}={_typed(value)}" for value in setting.values])
            elif setting.values or setting.key.startswith("hydra") or not sweep:
                self._values.append([setting.text])
            # Else numbers between bounds: the job's own check meets them.
        self.are_swept = any(len(values) > 1 for values in self._values)

    def each_value(self) -> Iterator[list[str]]:
        """Each value of each sweep stands in at least one of these."""
        if not self._values:
            yield []
        for row in islice(zip_longest(*self._values), _MOST_JOBS):
            yield [value if value is not None else self._values[place][0] for place, value in enumerate(row)]

    def every_combination(self) -> Iterator[list[str]]:
        """The sweep's jobs themselves."""
        return (list(row) for row in islice(product(*self._values), 4 * _MOST_JOBS))


def _typed(value: object) -> str:
    """A value of a sweep as an override holds it."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{','.join(_typed(item) for item in value)}]"
    return quoted(value) if isinstance(value, str) else str(value)


def _composable(tree: ConfigTree, rows: Iterator[list[str]]) -> Iterator[ExperimentConfig]:
    for row in rows:
        try:
            yield as_config(tree.compose(row).experiment)
        except (ConfigError, HydraException, OmegaConfBaseException):
            continue


def _folder_problems(composed: DictConfig, sweep: bool) -> Iterator[str]:
    """Where the files would go."""
    name = "hydra.sweep.dir" if sweep else "hydra.run.dir"
    try:
        place = str(OmegaConf.select(composed, name, throw_on_missing=True))
    except (OmegaConfBaseException, ValueError) as error:
        message = plain_message(error)
        yield message if message.startswith(name) else f"{name}: {message}"
        return
    folder = Path(place)
    if not place.strip() or "\0" in place:
        yield f"{name} is empty: give a folder, or leave it out."
    elif taken := next((path for path in (folder, *folder.parents) if path.exists() and not path.is_dir()), None):
        yield f"{name}={place}: {taken} is no folder, so nothing can be put into it."


def _not_installed(group: str, name: str) -> str:
    how = f" It comes with pip install 'embft[{_EXTRAS[name]}]'." if name in _EXTRAS else ""
    return f"{group}={name} is not installed.{how}"


def _explain(error: Exception) -> str:
    """What Hydra says of a configuration that it cannot compose, in one sentence."""
    message = plain_message(error)
    if missing := re.search(r"Could not (?:find|load) '(?P<group>[^']+)/(?P<name>[^'/]+)'", message):
        group, name = missing["group"], missing["name"]
        if group in {"hydra/launcher", "hydra/sweeper"}:
            return _not_installed(group, name.removesuffix(SUFFIX))
        options = re.findall(r"^\t(.+)$", str(error).partition("search path")[0], re.MULTILINE)
        return choice_problem(group, name, options) or message
    if isinstance(error, yaml.YAMLError):
        return f"A file of the configuration is not YAML: {' '.join(str(error).split())}"
    return message
