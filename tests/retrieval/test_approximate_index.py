from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from embft.config import FaissConfig, RetrievalConfig
from embft.errors import ModelError
from embft.models.vectors import unit
from embft.ranking.weak_index import low_recall
from embft.records import Passages
from embft.retrieval.approximate import IndexedScorer, IndexFacts, indexed
from embft.retrieval.scoring import dense_scorers, rank

pytest.importorskip("faiss", reason="faiss is not installed: pip install 'embft[faiss]'")

CHUNKS, QUESTIONS, WIDTH = 2000, 40, 32


def scorers_of(folder: Path, windows: np.ndarray, depth: int = 10, length: float = 1.0, **settings):
    """Scorers over chunks with so many windows each; vectors lie in clouds, as those of texts do."""
    dice = np.random.default_rng(1)
    count = int(windows.sum())
    centres = dice.normal(size=(60, WIDTH))
    vectors = unit((centres[dice.integers(0, 60, count)] + 0.7 * dice.normal(size=(count, WIDTH))).astype(np.float32))
    asked = unit(
        (vectors[dice.integers(0, count, QUESTIONS)] + 0.1 * dice.normal(size=(QUESTIONS, WIDTH))).astype("f4")
    )
    vectors = vectors * np.linspace(length, 1, count, dtype=np.float32)[:, None]
    ids = tuple(f"c{at:05}" for at in range(len(windows)))
    owner = np.repeat(np.arange(len(windows)), windows)
    passages = Passages(ids, ["?"] * count, owner)
    exact = dense_scorers(asked, vectors, passages)
    retrieval = RetrievalConfig(name="windows", index="faiss", depth=depth, faiss=FaissConfig(**settings))
    return ids, exact, indexed(exact, retrieval, folder / "indexes")


def ranked(scorer, ids, depth: int = 10):
    return rank(scorer, [str(at) for at in range(QUESTIONS)], ids, system="base", score_name="cosine", depth=depth)


@pytest.mark.parametrize(
    ("settings", "least"),
    [
        ({"kind": "hnsw"}, 0.99),
        ({"kind": "ivf_pq", "probes": 64, "code_bytes": 16}, 0.95),
        ({"kind": "int8"}, 0.99),
        ({"kind": "binary", "rescore": 20}, 0.9),
    ],
)
def test_what_an_index_finds_has_its_exact_score_and_is_nearly_all(tmp_path, settings, least):
    windows = np.random.default_rng(2).integers(1, 4, CHUNKS)
    ids, exact, found = scorers_of(tmp_path, windows, **settings)
    scorer = found["cosine"]
    assert isinstance(scorer, IndexedScorer)
    assert found["dot"] is scorer  # vectors of length 1
    facts = scorer.facts()
    assert facts.recall["10"] >= least
    ours, theirs = ranked(scorer, ids), ranked(exact["cosine"], ids)
    shared = [
        (a, b)
        for key in ours.chunk_ids
        for chunk, a in zip(ours.chunk_ids[key], ours.scores[key], strict=True)
        for other, b in zip(theirs.chunk_ids[key], theirs.scores[key], strict=True)
        if chunk == other
    ]
    assert len(shared) / (10 * QUESTIONS) == pytest.approx(facts.recall["10"], abs=1e-3)
    assert all(a == pytest.approx(b, abs=2e-6) for a, b in shared)


def test_all_that_is_not_found_scores_below_what_is(tmp_path):
    _, _, found = scorers_of(tmp_path, np.full(CHUNKS, 2), kind="hnsw")
    for row in found["cosine"].scores(0, QUESTIONS):
        values, counts = np.unique(row, return_counts=True)
        assert counts[0] > CHUNKS / 2
        assert values[1] - values[0] > 1e-6


def test_a_chunk_of_many_windows_does_not_keep_the_ranking_short(tmp_path):
    windows = np.ones(300, np.int64)
    windows[:3] = 500
    ids, _, found = scorers_of(tmp_path, windows, depth=50, kind="hnsw")
    ranking = ranked(found["cosine"], ids, 50)
    assert all(len(set(chunks)) == 50 for chunks in ranking.chunk_ids.values())
    row = found["cosine"].scores(0, 1)[0]
    assert (row > row.min()).sum() >= 50


def test_vectors_of_other_lengths_have_an_index_by_cosine_and_one_by_dot(tmp_path):
    ids, _, found = scorers_of(tmp_path, np.ones(CHUNKS, np.int64), length=3.0, kind="hnsw")
    assert found["dot"] is not found["cosine"]
    for name in ("dot", "cosine"):
        assert found[name].facts().recall["10"] > 0.97
    assert ranked(found["dot"], ids).chunk_ids != ranked(found["cosine"], ids).chunk_ids


def test_an_index_is_built_once_and_again_where_its_file_is_damaged(tmp_path, caplog):
    windows = np.ones(CHUNKS, np.int64)
    ids, _, first = scorers_of(tmp_path, windows, kind="hnsw")
    file = next((tmp_path / "indexes").glob("*.faiss"))
    stamp = file.stat().st_mtime_ns
    _, _, second = scorers_of(tmp_path, windows, kind="hnsw", effort=300)  # how hard is looked is no matter of the file
    assert file.stat().st_mtime_ns == stamp
    assert ranked(first["cosine"], ids).chunk_ids == ranked(second["cosine"], ids).chunk_ids
    whole, facts = file.read_bytes(), file.with_suffix(".json")
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF  # a vector or a link: faiss itself would not notice
    for spoilt in (b"nonsense", b"", whole[: len(whole) // 2], bytes(flipped)):
        file.write_bytes(spoilt)
        caplog.clear()
        _, _, again = scorers_of(tmp_path, windows, kind="hnsw")
        assert "is built again" in caplog.text
        assert again["cosine"].facts().recall["10"] > 0.97
    for words in ("", "[]", "null", "{}", '{"build_seconds": 1}'):
        facts.write_text(words, encoding="utf-8")
        caplog.clear()
        scorers_of(tmp_path, windows, kind="hnsw")
        assert "is built again" in caplog.text
    assert len(list((tmp_path / "indexes").glob("*.faiss"))) == 1
    scorers_of(tmp_path, windows, kind="hnsw", links=16)
    assert len(list((tmp_path / "indexes").glob("*.faiss"))) == 2


def test_what_cannot_be_indexed_is_said(tmp_path, monkeypatch):
    with pytest.raises(ModelError, match="from 256 vectors at least, and there are 50"):
        scorers_of(tmp_path, np.ones(50, np.int64), kind="ivf_pq")
    with pytest.raises(ModelError, match="code_bytes=7 must divide the 32 numbers"):
        scorers_of(tmp_path, np.ones(500, np.int64), kind="ivf_pq", code_bytes=7)
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ModelError, match=r"pip install -c constraints.txt -e '.\[faiss\]'"):
        scorers_of(tmp_path, np.ones(500, np.int64))


def test_a_weak_index_is_said():
    facts = IndexFacts("ivf_pq", 10, 10, 1.0, 5, {"10": 0.9, "100": 0.8}, 1.0, 1.0)
    assert "finds 90% of the first 10 chunks" in low_recall({"base": facts})[0]
    assert low_recall({"base": IndexFacts("hnsw", 10, 10, 1.0, 5, {"10": 0.96}, 1.0, 1.0)}) == []


def test_a_run_is_ranked_judged_and_served_by_its_index(tmp_path):
    import jsonschema
    from small_run import ROOT, run_small

    from embft.retrieval.ranking_files import read_ranking
    from embft.serving.answering import Answering, Asked
    from embft.serving.run_files import read_run

    run = run_small(
        tmp_path, "run", "training=none", "evaluation=base_only", "retrieval.index=faiss", "retrieval.depth=10",
        "retrieval.faiss.effort=16",
    )  # fmt: skip
    metrics = json.loads((run / "metrics.json").read_text())
    jsonschema.validate(metrics, json.loads((ROOT / "docs" / "metrics.schema.json").read_text()))
    facts = metrics["index"]["base"]
    assert facts["kind"] == "hnsw"
    assert facts["recall"]["10"] > 0.8
    assert metrics["verdict"]["costs"]["base"]["index_bytes"] == facts["bytes"]
    assert "base is searched by an approximate index (hnsw" in (run / "report.md").read_text()

    indexes = sorted((tmp_path / "cache" / "indexes").iterdir())
    files = read_run(run)
    hits = Answering(files).rank("base", [Asked(text) for text in files.test.queries.values()])
    stored = next((tmp_path / "cache" / "stages" / "ranking").glob("*/test.base.cosine.*"))
    ranking = read_ranking(stored, "base", "cosine")
    assert list(hits.chunk_ids.values()) == [ranking.chunk_ids[key] for key in files.test.queries]
    assert sorted((tmp_path / "cache" / "indexes").iterdir()) == indexes  # none was built for the server
