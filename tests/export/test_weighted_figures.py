"""An export proves figures that weigh questions by how often they were asked."""

from __future__ import annotations

import json

from embft.export.alone import scoring


def test_check_weighs_questions_as_the_report_does(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scoring, "HERE", tmp_path)
    questions = [
        {"id": "often", "text": "", "relevant": {"a": 1}, "excluded": [], "count": 3, "terms": ["x"], "pairs": []},
        {"id": "once", "text": "", "relevant": {"b": 1}, "excluded": [], "count": 1, "terms": ["x"], "pairs": []},
    ]
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, questions)) + "\n")
    search = {
        "system": "bm25", "chunks": 2, "weight": 0, "depth": 10, "relevant_from": 1, "bm25": {"k1": 1.5, "b": 0.75, "pairs": 0},
        "figures": {"hit_rate@5": 0.75, "ndcg@10": 0.75},
    }  # fmt: skip
    (tmp_path / "search.json").write_text(json.dumps(search))
    lexical = scoring.Lexical([["x"], ["y"]], [], [], search)
    assert scoring.check(["a", "b"], None, lexical) == 0, capsys.readouterr().out
