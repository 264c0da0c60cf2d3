"""A quote that was found by its words stands in both reports, with what was found and how sure that is."""

from __future__ import annotations

import html
from dataclasses import asdict, replace

from made_run import make_outcome

from embft.dataset.question_audits import quote_findings
from embft.questions import map_to_chunks
from embft.questions.human_files import HumanQuestion
from embft.records import Chunk, Page
from embft.reporting.html import render_html
from embft.reporting.markdown import render_markdown

TEXT = (
    "Readings of the gauge\n\nNorth pier 4.12 metres at 06:10, 0.84 metres at 12:20, a clear morning\n\n"
    "South pier 3.95 metres at 06:25, 0.71 metres at 12:40, wind from the west\n\nDoubtful readings get a cross."
)
COPIED = "North pier | 4.12 | metres 06:10 | 0.84 metres | 12:20 | a clear morning"


def test_score_and_place_of_a_copied_quote_are_in_both_reports() -> None:
    page = Page("log.pdf", 3, TEXT)
    row = HumanQuestion("how high was the water at the north pier", COPIED, None, None, "q.jsonl, line 1")
    mapped = map_to_chunks([row], [page], [Chunk("c1", TEXT, "log.pdf", 3, 0, len(TEXT))])
    assert [(one.document, one.page) for one in mapped.by_words] == [("log.pdf", 3)]
    findings = quote_findings([asdict(one) for one in mapped.by_words])
    score = f"{mapped.by_words[0].score:.0%}"

    outcome = make_outcome()
    outcome = replace(outcome, audits=replace(outcome.audits, findings=findings))
    for report in (html.unescape(render_html(outcome)), render_markdown(outcome).replace("\\", "")):
        assert "found by their words" in report
        assert score in report
        assert "log.pdf, page 3" in report
        assert "4.12 metres at 06:10" in report
        assert COPIED in report


def test_a_quote_that_stands_there_letter_by_letter_is_no_finding() -> None:
    row = HumanQuestion("what do doubtful readings get", "Doubtful readings get a cross", None, None, "q.jsonl, line 1")
    mapped = map_to_chunks([row], [Page("a", None, TEXT)], [Chunk("c1", TEXT, "a", None, 0, len(TEXT))])
    assert mapped.by_words == ()
    assert quote_findings([]) == quote_findings(None) == []
