"""What other seeds gave, in the forms of the report."""

from __future__ import annotations

import io

from made_run import make_metrics, make_outcome
from rich.console import Console

from embft.evaluation.figures import Seeds, Spread
from embft.reporting.html import render_html
from embft.reporting.markdown import render_markdown
from embft.reporting.metrics_file import tracker_keys
from embft.reporting.phrases import seeds_sentence
from embft.reporting.text import terminal_table


def test_the_spread_stands_in_every_form_of_the_report():
    seeds = Seeds(3, [1, 2, 3], 1, {"hit_rate@5": Spread([0.94, 0.945, 0.95], 0.945, 0.0059, 0.94, 0.95)})
    outcome = make_outcome(seeds=seeds)
    said = seeds_sentence(outcome)
    assert "over 3 seeds" in said
    assert "hit rate@5 .945 ± .006 (.940 to .950)" in said
    assert "1 of 3 kept the base model" in said
    console = Console(file=io.StringIO(), width=1000)
    console.print(terminal_table(outcome))
    assert said in console.file.getvalue()
    assert said in render_markdown(outcome)
    assert said in render_html(outcome)
    keys = tracker_keys(make_metrics(seeds=seeds))
    assert keys["eval/tuned/seeds/hit_rate@5/mean"] == 0.945
    assert keys["eval/tuned/seeds/hit_rate@5/sd"] == 0.0059
    assert seeds_sentence(make_outcome()) == ""
