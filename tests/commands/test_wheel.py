"""The wheel outside a checkout: the command, its configurations, its programs."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest

from embft.entry import COMMANDS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command ``embft`` in an environment that has the wheel, and what it needs from this one."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # setuptools builds in place, and leaves its own files there
    ignored = shutil.ignore_patterns(".*", "outputs", "build", "*.egg-info", "__pycache__", "tests", "benchmarks")
    shutil.copytree(ROOT, source, ignore=ignored)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(source)],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")], check=True)
    purelib = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "env")}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(purelib)
    # Behind its own packages, so that the wheel's embft comes before the checkout's.
    (purelib / "z.pth").write_text("\n".join([*site.getsitepackages(), ""]))
    program = folder / "env" / "bin" / "embft"
    program.write_text(
        f"#!{folder / 'env' / 'bin' / 'python'}\nimport sys\nfrom embft.entry import main\nsys.exit(main())\n"
    )
    program.chmod(0o755)
    return program


def run(command: Path, folder: Path, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [str(command), *words], cwd=folder, capture_output=True, text=True, env=environment, timeout=300
    )


def test_every_command_is_there(capsys: pytest.CaptureFixture[str]):
    for name, (place, _) in COMMANDS.items():
        module, _, function = place.partition(":")
        try:
            status = getattr(import_module(module), function)(["--help"])
        except SystemExit as end:
            status = end.code
        assert status == 0
        assert "usage:" in capsys.readouterr().out, name


@pytest.mark.slow
def test_an_experiment_runs_from_the_wheel_alone(command: Path, tmp_path: Path):
    """Help speaks of the command, the configurations come from the wheel, and the report names the command as it was typed."""
    assert "  embft corpus.path=" in run(command, tmp_path, ["--help"]).stdout
    shutil.copytree(ROOT / "docs", tmp_path / "pages", ignore=shutil.ignore_patterns("images", "reference.md"))
    words = ["corpus.path=pages", "corpus.chunk_tokens=96", "training=none", "tracking=local"]
    done = run(command, tmp_path, [*words, "evaluation.systems=[bm25]", "hydra.run.dir=out"])
    assert done.returncode == 0, done.stderr
    assert "embft corpus.path=pages" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "run.py" not in done.stdout + done.stderr
    assert str(ROOT) not in (tmp_path / "out" / "config.yaml").read_text(encoding="utf-8")


def test_a_command_that_is_not_there_is_answered_with_the_one_that_was_meant(command: Path, tmp_path: Path):
    done = run(command, tmp_path, ["comapre", "outputs"])
    assert done.returncode == 2
    assert "Did you mean compare?" in done.stderr
    wrong = run(command, tmp_path, ["modle=minilm"])
    assert wrong.returncode == 2
    assert "run.py" not in wrong.stderr
