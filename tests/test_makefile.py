"""`make setup TORCH_INDEX=...` chooses the build of torch."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def commands(*arguments: str) -> str:
    """What make would run."""
    done = subprocess.run(["make", "-nB", "setup", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_url_is_one_more_index():
    url = "https://download.pytorch.org/whl/cpu"
    assert f"--extra-index-url {url}" in commands(f"TORCH_INDEX={url}")
    assert "index-url" not in commands()


def test_a_folder_of_wheels_gives_its_build_of_torch(tmp_path):
    """A wheel of the pinned version with a label of its own is taken from the folder; nothing is installed."""
    wheel = tmp_path / "torch-2.13.0+mine-py3-none-any.whl"
    files = {
        "METADATA": "Metadata-Version: 2.1\nName: torch\nVersion: 2.13.0+mine\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"torch-2.13.0+mine.dist-info/{name}", text)
    assert f"--find-links {tmp_path}" in commands(f"TORCH_INDEX={tmp_path}")
    done = subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--ignore-installed", "--no-index",
            "--constraint", str(ROOT / "constraints.txt"), "--find-links", str(tmp_path), "torch",
        ],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert "torch-2.13.0+mine" in done.stdout, done.stdout + done.stderr
