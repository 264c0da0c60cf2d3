from __future__ import annotations

import importlib.util
import shutil
import struct
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "print_report.py"
has_browser = pytest.mark.skipif(
    not (importlib.util.find_spec("playwright") and (shutil.which("chromium") or shutil.which("google-chrome"))),
    reason="needs Playwright and an installed Chromium",
)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("print_report", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    page = "<body style='height:3000px'><h1>Verdict</h1><p>检索</p></body>"
    (tmp_path / "report.html").write_text(f"<!doctype html><meta charset='utf-8'>{page}", encoding="utf-8")
    return tmp_path


@has_browser
def test_a_png_shows_the_whole_page(script: ModuleType, run_folder: Path) -> None:
    out = run_folder / "made" / "report.png"
    assert script.main([str(run_folder), str(out), "--width", "800", "--dark"]) == 0
    width, height = struct.unpack(">II", out.read_bytes()[16:24])  # the PNG header's size
    assert width == 2 * 800
    assert height >= 2 * 3000


@pytest.mark.slow
@has_browser
def test_a_pdf_is_made_from_an_html_file(script: ModuleType, run_folder: Path) -> None:
    out = run_folder / "report.pdf"
    assert script.main([str(run_folder / "report.html"), str(out)]) == 0
    assert out.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("report", "out", "words"),
    [("nowhere", "a.pdf", "does not exist"), (".", "a.gif", ".pdf or .png"), (".", "a.png --width=10", "too narrow")],
)
def test_a_mistake_is_one_sentence(
    report: str, out: str, words: str, script: ModuleType, run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *options = out.split()
    assert script.main([str(run_folder / report), str(run_folder / name), *options]) == 2
    printed = capsys.readouterr().err
    assert words in printed
    assert "Traceback" not in printed
