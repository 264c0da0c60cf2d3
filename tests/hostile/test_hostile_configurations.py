"""Command lines that people type, mistaken or unusual: each is taken, or ends in words that say what to type instead.

Most are read, composed and checked as run.py does it, without a process each; the last ones are typed for real.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from command_lines import REFUSED, TAKEN, TYPED
from forks import typed
from hydra._internal.utils import get_args_parser

from embft.config import register
from embft.config.arguments import read_arguments
from embft.config.command_line import CheckedLine, check_line
from embft.config.composing import config_tree
from embft.errors import ConfigError

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"
register()


@cache
def checked(line: str) -> CheckedLine:
    """What run.py makes of a command line before it runs anything."""
    try:
        arguments = read_arguments(shlex.split(line))
        tree = config_tree(CONFIGS, extra_dir=arguments.parsed.config_dir)
        return check_line(arguments.overrides, tree, sweep=arguments.is_sweep)
    except ConfigError as error:
        return CheckedLine([], problems=error.problems)


@pytest.mark.parametrize(("line", "words"), REFUSED, ids=[line for line, _ in REFUSED])
def test_a_mistake_is_explained(line: str, words: str) -> None:
    problems = checked(line).problems
    text = "\n".join(problems)
    assert words in text
    for jargon in (
        "Traceback",
        "LexerNoViableAlt",
        "mismatched input",
        "extraneous input",
        "hydra.cc",
        "$VALUE",
        "omegaconf.",
    ):
        assert jargon not in text
    assert all("\n" not in problem for problem in problems)
    assert "sk-abc-123" not in text


@pytest.mark.parametrize(("line", "override"), TAKEN, ids=[line for line, _ in TAKEN])
def test_what_is_clear_is_taken(line: str, override: str) -> None:
    found = checked(line)
    assert found.problems == []
    assert override in found.overrides


def test_there_are_enough_of_them() -> None:
    assert len(REFUSED) + len(TAKEN) >= 150


def test_every_suggestion_can_be_typed() -> None:
    """A quoted command in a message is itself without the mistake."""
    for line, _ in REFUSED:
        for problem in checked(line).problems:
            for part in problem.split('"')[1::2]:
                if "=" in part:
                    sweep = line.startswith("-m ") or problem.partition(part)[0].endswith('-m "')
                    fine = checked(f"{'-m ' if sweep else ''}{shlex.quote(part)}")
                    assert "holds a comma" not in str(fine.problems)
                    assert "not a list" not in str(fine.problems)


def test_a_path_to_documents_says_which_corpus_is_meant() -> None:
    found = checked("corpus.path=handbook.pdf")
    assert found.notices == ["corpus.path is given, so corpus=files is taken."]
    assert [config.corpus.kind for config in found.configs] == ["files"]
    assert checked("experiment=nvidia_10k corpus.path=10k.pdf").configs[0].corpus.kind == "nvidia_10k"


def test_values_arrive_as_they_were_typed() -> None:
    for text in ("手册.md", "a=b", "(1)", "it's", 'say "x".md', "C:\\docs\\a.md", "a'b\"c.md", "100%", "x\\'y.md"):
        [config] = checked(shlex.quote(f"corpus.path={text}")).configs
        assert config.corpus.path == text


def test_a_folder_of_the_user_is_looked_through_in_a_sweep_too(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text("defaults: [schema]\nname: mine\npath: somewhere\n", encoding="utf-8")
    for line in (
        f"-m --config-dir {tmp_path} model=mine,minilm",
        f"-m model=mine,minilm 'hydra.searchpath=[file://{tmp_path}]'",
    ):
        found = checked(line)
        assert found.problems == []
        assert [config.model.name for config in found.configs] == ["mine", "minilm"]


def test_all_options_are_passed_on() -> None:
    for line in (
        "--cfg job -p model",
        "-m seed=1,2",
        "--info plugins",
        "-cn config",
        "--config-path configs",
        "--hydra-help",
    ):
        arguments = read_arguments(shlex.split(line))
        again = get_args_parser().parse_args([*arguments.overrides, *arguments.options])
        assert again == arguments.parsed


@pytest.mark.parametrize(("line", "status", "words"), TYPED, ids=[line for line, _, _ in TYPED])
def test_typed_for_real(line: str, status: int, words: str, tmp_path: Path) -> None:
    (tmp_path / "finished").mkdir()
    (tmp_path / "finished" / "status.json").write_text('{"status": "ok"}', encoding="utf-8")
    done = typed(*shlex.split(line), cwd=tmp_path, environment=os.environ)
    assert done.returncode == status, done.stderr[-2000:]
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_reader_that_has_seen_enough_ends_it_quietly(tmp_path: Path) -> None:
    for line in ("--help", "--cfg job"):
        command = f"set -o pipefail; {sys.executable} {ROOT / 'run.py'} {line} | head -n 0; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        assert done.stdout.strip() in {"0", "141"}
