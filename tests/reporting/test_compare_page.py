"""What stands on compare.html, and what each setting does, without a browser."""

from __future__ import annotations

import hashlib
import html
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from made_run import make_metrics, make_row_lines, write_job

from embft.reporting.jobs import collect, names_of
from embft.reporting.levels import Level, levels_of
from embft.reporting.page import write_page
from embft.reporting.paired import pair_jobs
from embft.reporting.sweep_origin import sweeps_of
from embft.runs import sweep_log

VEGA = Path(__file__).parents[2] / "embft" / "reporting" / "vega"


def add_job(folder: Path, shift: float, **settings: object) -> None:
    """A job whose tuned system has ``shift`` more than another's, for each question too."""
    write_job(folder, make_metrics(shift=shift), overrides=[f"{key}={value}" for key, value in settings.items()])
    rows = make_row_lines(("bm25", "base", "tuned", "fused"), 40)
    for at, row in enumerate(rows):
        row["systems"]["tuned"]["ndcg@10"] = 0.3 + shift + at % 7 / 100
    (folder / "per_query.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def levels(folder: Path) -> dict[tuple[str, str], Level]:
    jobs = collect([folder])
    every = levels_of(jobs, "ndcg@10", "tuned", pair_jobs(jobs, "tuned", "ndcg@10"))
    return {(level.key, level.value): level for level in every}


def page_of(folder: Path) -> str:
    write_page(folder / "compare.html", collect([folder]))
    return (folder / "compare.html").read_text(encoding="utf-8")


def test_a_mean_effect_is_what_a_value_adds_with_the_other_settings_held(tmp_path: Path) -> None:
    # Not a full grid: the rate 2 mostly comes with the better model, which plain means would give it credit for.
    for at, (rate, model) in enumerate(((1, "a"), (1, "b"), (2, "b"), (2, "b"), (3, "b"), (3, "a"))):
        add_job(tmp_path / str(at), 0.01 * rate + (0.1 if model == "b" else 0), rate=rate, model=model)
    found = levels(tmp_path)
    for figure in (found["model", "b"].on_dev, found["model", "b"].on_test[0]):
        assert figure == pytest.approx(0.1, abs=0.003)
    low, high = found["model", "b"].on_test[1]
    assert low <= 0.1 <= high
    assert found["rate", "2"].on_dev == pytest.approx(0.0)
    assert found["rate", "3"].on_dev == pytest.approx(0.015)
    assert (found["rate", "2"].jobs, found["rate", "2"].best) == ((2, 3), 2)


def test_settings_that_change_together_have_no_effect_of_their_own(tmp_path: Path) -> None:
    for at in range(3):
        add_job(tmp_path / str(at), 0.01 * at, rate=at, epochs=at, other=at % 2)
    found = levels(tmp_path)
    assert found["rate", "1"].on_dev is None
    assert found["rate", "1"].on_test is None
    assert "<td>–</td>" in page_of(tmp_path).replace(' class="n"', "")


def test_many_numbers_are_taken_in_thirds_and_many_words_are_not(tmp_path: Path) -> None:
    for at in range(12):
        add_job(tmp_path / str(at), at / 100, rate=f"{at + 1}e-5", model=f"m{at:02}")
    found = levels(tmp_path)
    thirds = [level.jobs for key, level in found.items() if key[0] == "rate"]
    assert thirds == [(0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11)]
    assert ("rate", "1e-5 to 4e-5") in found
    assert sum(key == "model" for key, _ in found) == 12


def test_links_are_seen_from_the_pages_folder(tmp_path: Path) -> None:
    for name in ("a 1", "50%?#", "javascript:x"):
        add_job(tmp_path / "sweep" / name, 0.0)
        (tmp_path / "sweep" / name / "report.html").write_text("r", encoding="utf-8")
    add_job(tmp_path / "sweep" / "without", 0.1)
    page = page_of(tmp_path / "sweep")
    hrefs = set(re.findall(r'<a href="([^"]+)"', page))
    assert hrefs == {"./a%201/report.html", "./50%25%3F%23/report.html", "./javascript%3Ax/report.html"}
    (tmp_path / "other").mkdir()
    write_page(tmp_path / "other" / "c.html", collect([tmp_path / "sweep"]))
    assert 'href="./../sweep/a%201/report.html"' in (tmp_path / "other" / "c.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("value", ["a b", "two  spaces", "line\nbreak's", '$HOME `x` "', "</script>"])
def test_the_command_can_be_pasted(tmp_path: Path, value: str) -> None:
    command = shlex.join(["printf", "%s|", "-m", f"corpus.path={value}"])
    sweep_log.begin(tmp_path / "sweep", 2, command)
    for at in range(2):
        add_job(tmp_path / "sweep" / str(at), at / 10, rate=at)
    [sweep] = sweeps_of(collect([tmp_path / "sweep"]))
    assert sweep.name == "sweep"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", sweep.begun)
    page = page_of(tmp_path / "sweep")
    pasted = html.unescape(re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)[0])
    done = subprocess.run(["bash", "-c", pasted], capture_output=True, text=True, check=True)
    assert done.stdout == f"-m|corpus.path={value}|"


def test_sweeps_in_folders_of_sweeps_are_compared_with_names_that_keep_them_apart(tmp_path: Path) -> None:
    top = tmp_path / "outputs" / "sweeps" / "project"
    for name in ("first/x", "first/y", "second/x"):
        (top / name).mkdir(parents=True)
        (top / name / "multirun.yaml").write_text("{}\n", encoding="utf-8")
        for at in range(2):
            add_job(top / name / str(at), at / 10, rate=at)
    jobs = collect([top])
    assert len(jobs) == len(collect([tmp_path / "outputs"])) == 6
    assert names_of(jobs)[:2] == ["first/x/0", "first/x/1"]
    assert [sweep.name for sweep in sweeps_of(jobs)] == ["x", "y", "x"]


def test_of_one_run_there_are_no_plots_and_of_none_no_comparison(tmp_path: Path) -> None:
    add_job(tmp_path / "one", 0.0)
    page = page_of(tmp_path)
    assert "vegaEmbed=" not in page
    assert len(page) < 60_000
    assert 'id="pair"' not in page
    assert 'id="runner-up"' not in page
    write_job(tmp_path / "two", status="failed", stage="model", error={"type": "X", "message": "no"})
    assert "1 of 2 jobs did not finish" in page_of(tmp_path)


def test_the_runner_up_is_named_with_what_separates_it_from_the_best(tmp_path: Path) -> None:
    for at, shift in enumerate((0.0, 0.05, 0.02)):
        add_job(tmp_path / str(at), shift, rate=at)
    words = re.search(r'<p id="runner-up">(.*?)</p>', page_of(tmp_path), re.DOTALL)
    assert words is not None
    assert words[1].startswith("Second on dev: 2. The best job against it, on test: +3.0 points [+")
    assert "adjusted for the 2 jobs that it was chosen from (Holm): better." in words[1]


def test_the_drawing_library_is_as_published() -> None:
    digests = dict(
        re.findall(r"^([0-9a-f]{64})  (\S+)$", (VEGA / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert {name: hashlib.sha256((VEGA / name).read_bytes()).hexdigest() for name in digests.values()} == {
        name: digest for digest, name in digests.items()
    }
    assert len(digests) == 3
