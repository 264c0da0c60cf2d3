"""Jobs are ranked against each other only where that is fair, and the comparison says so."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from made_run import make_metrics, write_job
from rich.console import Console

from embft.reporting.alike import fair_metric, remarks
from embft.reporting.choosing import best_on_dev, by_dev
from embft.reporting.compare import print_comparison
from embft.reporting.jobs import collect
from embft.reporting.levels import levels_of
from embft.reporting.page import write_page
from embft.reporting.summary import sweep_summary


def job(
    folder: Path, value: float, asked: str = "a", chunks: str = "x", search: str = "windows", **set_to: Any
) -> None:
    """A job whose systems all have the same figure by answer@1024, and another by nDCG@10."""
    metrics = make_metrics(shift=-value)
    metrics["dataset"]["asked"] = {"dev": f"dev of {asked}", "test": f"test of {asked}"}
    metrics["handed_over"] = {"chunks": chunks, "search": search, "expand": "none"}
    for system in metrics["systems"].values():
        for part in (system, system["dev"]):
            part["answer@1024"] = value
        for name in ("intervals", "dev_intervals"):
            system[name] = {**system[name], "answer@1024": [value - 0.04, value + 0.04]}
    write_job(folder, metrics, overrides=[f"{key}={own}" for key, own in set_to.items()])


def shown(folder: Path, **options: Any) -> str:
    console = Console(file=io.StringIO(), width=160, highlight=False)
    print_comparison([folder], console=console, **options)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def sizes(tmp_path: Path) -> Path:
    for number, (size, value) in enumerate(((64, 0.2), (128, 0.3), (512, 0.1))):
        job(tmp_path / str(number), value, chunks=str(size), size=size)
    return tmp_path


def test_jobs_of_unlike_chunks_are_compared_by_the_text_that_they_hand_over(sizes: Path) -> None:
    text = shown(sizes, fair=True)
    assert "answer@1,024 on test" in text
    assert "The jobs differ in chunks, so they are compared by answer@1,024" in text
    assert f"best on dev (tuned, answer@1,024): {sizes / '1'}" in text
    assert ".300 [.260, .340]" in text
    assert fair_metric(collect([sizes]), "answer@256") == "answer@256"


def test_a_metric_that_was_asked_for_is_shown_with_a_warning(sizes: Path) -> None:
    text = shown(sizes)
    assert "nDCG@10 on test" in text
    assert "nDCG@10 counts chunks, regardless of their size: it favours those that hand over more text" in text


def test_jobs_of_other_windows_are_unlike_too(tmp_path: Path) -> None:
    for number, search in enumerate(("windows of 96", "windows of 48")):
        job(tmp_path / str(number), 0.1, search=search)
    jobs = collect([tmp_path])
    assert fair_metric(jobs, "ndcg@10") == "answer@1024"
    assert "differ in windows" in remarks(jobs, "answer@1024", "tuned")[0]


def test_jobs_alike_are_compared_as_ever(tmp_path: Path) -> None:
    for number in range(2):
        job(tmp_path / str(number), number / 10)
    jobs = collect([tmp_path])
    assert fair_metric(jobs, "ndcg@10") == "ndcg@10"
    assert remarks(jobs, "ndcg@10", "tuned") == []


def test_jobs_that_asked_different_questions_are_not_ranked_against_each_other(tmp_path: Path) -> None:
    for number, (asked, value) in enumerate((("a", 0.1), ("b", 0.0), ("a", 0.2))):
        job(tmp_path / str(number), value, asked, per_chunk=number)
    jobs = collect([tmp_path])
    assert best_on_dev(jobs, "ndcg@10", "tuned") is None
    assert levels_of(jobs, "ndcg@10", "tuned") == []
    assert [one.folder.name for one in by_dev(jobs, "ndcg@10", "tuned")] == ["0", "2", "1"]
    text = " ".join(shown(tmp_path).split())
    assert "different dev and test questions, so they are not ranked against each other: jobs 0, 2" in text
    assert "best on dev: 0); job 1 (85 dev and 182 test questions)" in text
    assert f"dataset.test_from={tmp_path / '0'}" in text
    summary = sweep_summary(jobs, "ndcg@10")
    assert summary["sweep/question_sets"] == 2
    assert "sweep/best/job" not in summary
    write_page(tmp_path / "compare.html", jobs)
    page = (tmp_path / "compare.html").read_text(encoding="utf-8")
    assert "they are not ranked against each other" in page
    assert "best on dev</span>" not in page
