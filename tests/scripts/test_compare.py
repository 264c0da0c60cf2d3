from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load(ROOT / "scripts" / "compare.py")


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    made = load(ROOT / "tests" / "reporting" / "made_run.py")
    for at in range(2):
        made.write_job(tmp_path / "sweep" / str(at), made.make_metrics(shift=at / 50), overrides=[f"seed={at}"])
    error = {"type": "ModelError", "message": "Model x is not available:\nThree ways"}
    made.write_job(tmp_path / "sweep" / "2", status="failed", stage="model", error=error, overrides=["seed=2"])
    return tmp_path / "sweep"


def test_a_sweep_with_a_failed_job_is_listed_with_status_0(
    script: ModuleType, sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, table = tmp_path / "c.html", tmp_path / "c.csv"
    assert script.main([str(sweep), "--metric", "map@100", "--sort", "--csv", str(table), "--html", str(page)]) == 0
    printed = capsys.readouterr().out
    assert "MAP@100 on test" in printed
    assert "failed, model: Model x is not available: Three ways" in printed
    assert "<!doctype html>" in page.read_text(encoding="utf-8")
    assert table.read_text(encoding="utf-8").count("\n") == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{}/nowhere"], "does not exist"),
        (["{}", "--system", "tunned"], "Did you mean 'tuned'?"),
        (["{}", "--baseline", "basis"], "--baseline basis"),
        (["{}", "--csv", "{}"], "it is a folder"),
        (["{}", "--against", "2", "--html", "x.html"], "no finished job has this name"),
        (["{}", "--against", "0"], "--against needs --html"),
        (["{}", "--html", "{}/no/page.html"], "its folder is missing"),
        (["{}", "--html", "/proc/page.html"], "/proc/"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(
    arguments: list[str], words: str, script: ModuleType, sweep: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main([argument.format(sweep) for argument in arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.startswith("compare: ")
    assert said.count("\n") == 1


def test_an_unknown_metric_is_status_2_with_the_choices(
    script: ModuleType, sweep: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        script.main([str(sweep), "--metric", "ndcg"])
    assert stopped.value.code == 2
    assert "ndcg@10" in capsys.readouterr().err


def test_it_starts_without_the_heavy_libraries(sweep: Path) -> None:
    code = (
        "import runpy, sys; sys.argv = ['compare.py', sys.argv[1]]\n"
        "try: runpy.run_path('scripts/compare.py', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "heavy = {'torch', 'numpy', 'transformers', 'sentence_transformers', 'wandb', 'hydra'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code, str(sweep)], cwd=ROOT, check=True, capture_output=True, timeout=60)
