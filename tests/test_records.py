from embft.files import write_jsonl
from embft.records import Chunk, Question, RetrievalDataset, Splits, read_jsonl


def test_records_survive_a_round_trip_with_readable_chinese(tmp_path):
    chunk = Chunk("c1", "中文\n“text”", "a.pdf", 3, 0, 10)
    question = Question("q1", "什么?", ("c1", "c2"), "human", "中文")
    write_jsonl(tmp_path / "c.jsonl", [chunk])
    write_jsonl(tmp_path / "q.jsonl", [question])
    assert "中文" in (tmp_path / "c.jsonl").read_text(encoding="utf-8")
    assert read_jsonl(tmp_path / "c.jsonl", Chunk) == [chunk]
    assert read_jsonl(tmp_path / "q.jsonl", Question) == [question]


def dataset(*names: str) -> RetrievalDataset:
    return RetrievalDataset(
        {f"q{n}": f"question {n}" for n in names},
        {f"c{n}": f"chunk {n}" for n in names},
        {f"q{n}": (f"c{n}",) for n in names},
    )


def test_a_split_searches_the_parts_it_names_in_sorted_order():
    splits = Splits(
        dataset("9"), dataset("5"), dataset("1"), {"c7": "chunk 7"}, {"dev": ("dev",), "test": Splits.EVERYTHING}, {}
    )
    assert list(splits.searched("dev").corpus) == ["c5"]
    assert list(splits.searched("test").corpus) == ["c1", "c5", "c7", "c9"]
    assert splits.searched("test").queries == {"q1": "question 1"}
