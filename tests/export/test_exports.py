"""Each export holds what the run ranked by, and its own script says so from the export alone."""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from embft.export.alone.scoring import kept_length
from embft.export.command import TARGETS, main


def check(folder: Path, monkeypatch, capsys, *arguments: str) -> tuple[int, str]:
    """Runs an export's check.py as a script of its own: nothing of embft is imported by it."""
    script = folder / "check.py"
    assert "import embft" not in script.read_text(encoding="utf-8")
    assert "from embft" not in script.read_text(encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [str(script), *arguments])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(script), run_name="__main__")
    return int(ended.value.code or 0), capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("system", ["fused", "tuned"])
@pytest.mark.parametrize("target", TARGETS)
def test_the_script_of_an_export_reproduces_the_report_s_figures(
    finished, tmp_path, monkeypatch, capsys, target, system
):
    reported = json.loads((finished / "metrics.json").read_text(encoding="utf-8"))["systems"][system]
    assert main([str(finished), str(tmp_path / "out"), "--to", target, "--system", system]) == 0
    status, printed = check(tmp_path / "out", monkeypatch, capsys)
    assert status == 0, printed
    for metric in ("hit_rate@5", "ndcg@10"):
        (found,) = re.findall(rf"{metric} +([\d.]+)", printed)
        assert float(found) == pytest.approx(reported[metric], abs=0.001)


@pytest.mark.parametrize("target", ["parquet", "elasticsearch"])
def test_bm25_alone_needs_no_model(finished, tmp_path, monkeypatch, capsys, target):
    assert main([str(finished), str(tmp_path / "out"), "--to", target, "--system", "bm25"]) == 0
    assert not (tmp_path / "out" / "model").exists()
    assert check(tmp_path / "out", monkeypatch, capsys)[0] == 0


def test_a_script_does_not_agree_to_an_export_that_was_changed(finished, tmp_path, monkeypatch, capsys):
    assert main([str(finished), str(tmp_path / "out"), "--to", "parquet", "--system", "bm25"]) == 0
    lines = (tmp_path / "out" / "lexical.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) | {"terms": ["fee"], "windows": [["fee"]]} for line in lines]
    (tmp_path / "out" / "lexical.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    status, printed = check(tmp_path / "out", monkeypatch, capsys)
    assert status == 1
    assert "DIFFERS" in printed


def test_parquet_has_windows_with_vectors_parents_and_places(finished, tmp_path):
    import pyarrow.parquet as pq

    assert main([str(finished), str(tmp_path / "out"), "--to", "parquet", "--system", "fused"]) == 0
    windows = pq.read_table(tmp_path / "out" / "windows.parquet")
    chunks = pq.read_table(tmp_path / "out" / "chunks.parquet")
    assert set(windows["chunk_id"].to_pylist()) == set(chunks["id"].to_pylist())
    assert windows.num_rows > chunks.num_rows
    assert np.allclose(np.linalg.norm(np.stack(windows["vector"].to_numpy()), axis=1), 1, atol=1e-5)
    assert {"document", "page", "context", "text"} <= set(chunks.column_names)
    described = json.loads((tmp_path / "out" / "search.json").read_text(encoding="utf-8"))
    assert described["bm25"] == {"k1": 1.5, "b": 0.75, "window": 8, "pairs": 0.5, "language": "auto"}


def test_eight_bits_come_with_what_they_lose(finished, tmp_path, capsys):
    assert main([str(finished), str(tmp_path / "out"), "--to", "onnx", "--system", "tuned", "--int8"]) == 0
    readme = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "model_int8.onnx to the vectors that were ranked" in readme
    assert "8 bits move vectors" in readme
    assert re.search(r"ndcg@10 +[\d.]+ +report", readme)
    for name in ("model.onnx", "model_fp16.onnx", "model_int8.onnx"):
        assert (tmp_path / "out" / "onnx" / name).stat().st_size > 0


def test_elasticsearch_gets_strict_mappings_and_pairs_as_shingles(finished, tmp_path):
    assert main([str(finished), str(tmp_path / "out"), "--to", "elasticsearch", "--system", "fused"]) == 0
    folder = tmp_path / "out" / "elasticsearch"
    mapping = json.loads((folder / "chunks.json").read_text(encoding="utf-8"))
    assert mapping["settings"]["index"]["similarity"]["run"] == {"type": "BM25", "k1": 1.5, "b": 0.75}
    assert mapping["settings"]["analysis"]["filter"]["pairs"]["output_unigrams"] is False
    for name in ("chunks", "bm25_windows", "windows"):
        fields = set(json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["mappings"]["properties"])
        lines = [json.loads(line) for line in (folder / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()]
        assert all(set(line) == {"index"} for line in lines[::2])
        assert all(set(line) <= fields for line in lines[1::2])
    assert set(json.loads((folder / "requests.json").read_text())["searches"]) == {
        "chunks/_search", "bm25_windows/_search", "windows/_search",
    }  # fmt: skip


def test_lengths_go_through_lucene_s_byte():
    # SmallFloat.byte4ToInt(SmallFloat.intToByte4(n)), as Lucene's own test has it for a few.
    assert [kept_length(n) for n in (0, 1, 23, 24, 39, 40, 41, 42, 55, 56, 57, 100)] == [
        0, 1, 23, 24, 39, 40, 40, 42, 54, 56, 56, 96,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["RUN", "OUT", "--to", "parquet", "--system", "fuzed"], "has no system 'fuzed'"),
        (["RUN", "THERE", "--to", "parquet"], "is there already"),
        (["RUN", "none/out", "--to", "parquet"], "there is no folder"),
        (["RUN", "OUT", "--to", "onnx", "--system", "bm25"], "no model that could be a graph"),
        (["RUN", "OUT", "--to", "parquet", "--int8"], "--int8 is a graph"),
        (["NO", "OUT", "--to", "parquet"], "is no run's folder"),
    ],
)
def test_mistakes_are_said_in_words(finished, tmp_path, capsys, arguments, said):
    (tmp_path / "there").mkdir()
    names = {"RUN": str(finished), "OUT": str(tmp_path / "out"), "THERE": str(tmp_path / "there"), "NO": str(tmp_path)}
    assert main([names.get(item, item) for item in arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
