"""What other seeds gave, in the forms of the report."""

from __future__ import annotations

import io

from made_run import make_metrics, make_passages, make_rows
from rich.console import Console

from embft.reporting.html import render_html
from embft.reporting.markdown import render_markdown
from embft.reporting.phrases import seeds_sentence
from embft.reporting.text import terminal_table
from embft.steps.report import flatten


def test_the_spread_stands_in_every_form_of_the_report():
    figures = {"values": [0.94, 0.945, 0.95], "mean": 0.945, "sd": 0.0059, "min": 0.94, "max": 0.95}
    metrics = make_metrics(seeds={"n": 3, "seeds": [1, 2, 3], "base_kept": 1, "metrics": {"hit_rate@5": figures}})
    said = seeds_sentence(metrics)
    assert "over 3 seeds" in said
    assert "hit rate@5 .945 ± .006 (.940 to .950)" in said
    assert "1 of 3 kept the base model" in said
    console = Console(file=io.StringIO(), width=1000)
    console.print(terminal_table(metrics))
    assert said in console.file.getvalue()
    assert said in render_markdown(metrics)
    systems = list(metrics["systems"])
    assert said in render_html(metrics, make_rows(systems, 4), make_passages())
    assert flatten(metrics)["eval/tuned/seeds/hit_rate@5/mean"] == 0.945
    assert flatten(metrics)["eval/tuned/seeds/hit_rate@5/sd"] == 0.0059
    assert seeds_sentence(make_metrics()) == ""
