"""The arguments of run.py: options apart from overrides, in any order; ``--key=value`` is an override too."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from embft.config.group_choices import GROUP_NAMES
from embft.config.hints import meant_by
from embft.config.keys import all_keys
from embft.errors import ConfigError

_OWN = ("--version",)
_MODES = ("run", "multirun", "cfg", "info", "shell_completion")


@dataclass(frozen=True)
class Arguments:
    """What was typed after ``run.py``.

    Attributes:
        overrides: ``KEY=VALUE`` each.
        options: Hydra's, as its parser takes them.
        parsed: The same, read.
        version: Whether ``--version`` is among them.
    """

    overrides: list[str]
    options: list[str] = field(default_factory=list)
    parsed: argparse.Namespace = field(default_factory=argparse.Namespace)
    version: bool = False

    @property
    def is_sweep(self) -> bool:
        """Whether several values of a key make several runs."""
        return bool(self.parsed.multirun) or any(_SWEEPS.fullmatch(override) for override in self.overrides)

    @property
    def runs(self) -> bool:
        """Whether anything is to run, rather than to be shown."""
        shown = (
            self.parsed.cfg,
            self.parsed.info,
            self.parsed.help,
            self.parsed.hydra_help,
            self.parsed.shell_completion,
        )
        return not any(shown) and self.parsed.experimental_rerun is None


_SWEEPS = re.compile(r"hydra\.mode=['\"]?MULTIRUN['\"]?")


def read_arguments(arguments: Sequence[str]) -> Arguments:
    """Takes a command line apart.

    Raises:
        ConfigError: An option that is none, or two that exclude each other.
    """
    if any(argument in {"--shell-completion", "-sc"} for argument in arguments):
        return Arguments([], list(arguments), get_args_parser().parse_args(list(arguments)))
    parser = get_args_parser()
    parser.error = _refuse  # type: ignore[method-assign]
    known = set(parser._option_string_actions)
    words = _without_dashes([word for word in arguments if word not in _OWN], known)
    parsed, unknown = parser.parse_known_intermixed_args(words)
    if wrong := [word for word in unknown if word.startswith("-")]:
        raise ConfigError([_unknown_option(word) for word in wrong])
    modes = [name for name in _MODES if getattr(parsed, name)]
    if len(modes) > 1:
        listed = " and ".join(f"--{name.replace('_', '-')}" for name in modes)
        raise ConfigError([f"{listed} exclude each other: give one of them."])
    if parsed.resolve and not parsed.cfg:
        raise ConfigError(["--resolve goes with --cfg job, which prints the configuration."])
    overrides = [*parsed.overrides, *(word for word in unknown if not word.startswith("-"))]
    return Arguments(_joined(overrides), _options(parsed), parsed, any(word in _OWN for word in arguments))


def _without_dashes(words: Sequence[str], known: set[str]) -> list[str]:
    """``--training.epochs=3``, as wandb's ``${args}`` gives it, becomes ``training.epochs=3``."""
    plain = []
    for place, word in enumerate(words):
        match = re.fullmatch(r"--?([A-Za-z_+~][\w./@-]*)=(.*)", word, re.DOTALL)
        if match and f"--{match[1]}" not in known:
            name = match[1].replace("-", "_")
            is_key = name in all_keys() or name in GROUP_NAMES
            plain.append(f"{name if is_key else match[1]}={match[2]}")
        elif word in {"-i", "--info"} and "=" in "".join(words[place + 1 : place + 2]):
            plain.append("--info=all")  # argparse would take the override after it as what is to be shown
        else:
            plain.append(word)
    return plain


def _joined(words: Sequence[str]) -> list[str]:
    """``seed = 3``, in three words or two, is one override."""
    names = (*all_keys(), *GROUP_NAMES)
    overrides: list[str] = []
    for word in words:
        last = overrides[-1] if overrides else ""
        value_follows = last in names and word.startswith("=")
        value_is_next = last.endswith("=") and last[:-1] in names and "=" not in word
        if value_follows or value_is_next:
            overrides[-1] += word
        else:
            overrides.append(word)
    return overrides


def _options(parsed: argparse.Namespace) -> list[str]:
    """The options, as Hydra's parser takes them after the overrides."""
    options = []
    for name, value in vars(parsed).items():
        if name == "overrides" or value in (None, False):
            continue
        option = f"--{name.replace('_', '-')}"
        options.extend([option] if value is True else [f"{option}={value}"])
    return options


def _unknown_option(word: str) -> str:
    name = word.lstrip("-").partition("=")[0]
    plain = name.replace("-", "_")
    if plain in all_keys() or plain in GROUP_NAMES:
        return f"{word} is no option: settings are written KEY=VALUE, as in {plain}=VALUE."
    hint = meant_by(name)
    sweeps = " In a sweep of Weights & Biases, ${args_no_hyphens} gives KEY=VALUE."
    return f"{word} is no option of run.py.{hint}{'' if hint else ' See python run.py --help.'}{sweeps}"


def _refuse(message: str) -> NoReturn:
    raise ConfigError([f"{message[0].upper()}{message[1:]}. See python run.py --help."])
