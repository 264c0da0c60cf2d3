"""Rankings come back from the disk as they were."""

import json

from embft.records import Ranking
from embft.retrieval.ranking_files import read_ranking, write_ranking


def test_a_ranking_comes_back_as_it_was_and_its_beginning_can_be_read(tmp_path):
    chunk_ids = {"q1": ("a\0", "中文", "a"), "": (), "q3": ("a",)}
    for scores in ({"q1": (0.5, 0.25, -1.0), "": (), "q3": (7.0,)}, {"q1": (0.1, 0.01, 1e-300), "": (), "q3": (2.5,)}):
        ranking = Ranking("bm25", "bm25", chunk_ids, scores)
        write_ranking(tmp_path / "test.bm25.bm25.npz", ranking)
        assert read_ranking(tmp_path / "test.bm25.bm25.npz", "bm25", "bm25") == ranking
    sample = json.loads((tmp_path / "test.bm25.bm25.sample.json").read_text())
    assert list(sample["q1"]) == ["a\0", "中文", "a"]
