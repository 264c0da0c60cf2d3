import dataclasses
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embft.dataset.formats import read_beir, read_llama_index, write_beir, write_llama_index
from embft.errors import DatasetError
from embft.records import RetrievalDataset

CHINESE = RetrievalDataset(
    {"q1": "什么是民法典？", "q2": "What is it?"},
    {"c1": "民法典自2021年1月1日起施行。", "c2": 'Line one\nline two\twith "quotes"'},
    {"q1": ("c1",), "q2": ("c2", "c1")},
)
BEIR_FILES = {
    "corpus.jsonl": '{"_id": "c1", "title": "A title", "text": "a text"}\n\n{"_id": "c2", "text": "another"}\n',
    "queries.jsonl": '{"_id": "q1", "text": "one?"}\n{"_id": "q2", "text": "two?"}\n{"_id": "q3", "text": "three?"}\n',
    "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq2\tc1\t1\nq1\tc2\t2\nq1\tc1\t1\nq2\tc2\t0\nq3\tc1\t0\n",
}


@st.composite
def datasets(draw) -> RetrievalDataset:
    ids = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8)
    texts = st.text(max_size=30)
    corpus = draw(st.dictionaries(ids, texts, min_size=1, max_size=5))
    queries = draw(st.dictionaries(ids, texts, min_size=1, max_size=5))
    some = st.lists(st.sampled_from(sorted(corpus)), min_size=1, unique=True).map(tuple)
    return RetrievalDataset(queries, corpus, {key: draw(some) for key in queries})


def beir(folder: Path, **changes: str | None) -> Path:
    for name, text in {**BEIR_FILES, **{key.replace("__", "/"): text for key, text in changes.items()}}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")
    return folder


@settings(max_examples=100, deadline=None)
@given(datasets())
def test_llama_index_json_written_and_read_is_the_same_dataset(dataset):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.json"
        write_llama_index(path, dataset)
        found = read_llama_index(path)
        assert found == dataset
        # Order counts too: it is the order of rankings and reports.
        assert list(found.queries) == list(dataset.queries)
        assert [file.name for file in Path(folder).iterdir()] == ["train.json"]


def test_chinese_stays_readable_on_disk(tmp_path):
    write_llama_index(tmp_path / "a.json", CHINESE)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert "什么是民法典？" in text
    assert "\\u" not in text
    assert json.loads(text)["mode"] == "text"
    write_beir(tmp_path, {"test": CHINESE})
    assert "民法典自2021年1月1日起施行。" in (tmp_path / "corpus.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("more", [{}, {"mode": "text"}, {"mode": "text", "extra": 1}])
def test_llama_index_json_is_read_with_and_without_mode(tmp_path, more):
    content = {"queries": {"q": "why?"}, "corpus": {"c": "because"}, "relevant_docs": {"q": ["c"]}, **more}
    (tmp_path / "a.json").write_text("\ufeff" + json.dumps(content), encoding="utf-8")  # as Windows editors save it
    assert read_llama_index(tmp_path / "a.json") == RetrievalDataset({"q": "why?"}, {"c": "because"}, {"q": ("c",)})


def test_a_chunk_listed_twice_is_relevant_once(tmp_path):
    content = {"queries": {"q": "why?"}, "corpus": {"c": "because"}, "relevant_docs": {"q": ["c", "c"]}}
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert read_llama_index(tmp_path / "a.json").relevant_docs == {"q": ("c",)}


def test_the_published_dataset_is_read(nvidia_data):
    found = read_llama_index(nvidia_data / "val_dataset.json")
    assert len(found.queries) == 182
    assert all(chunk_id in found.corpus for ids in found.relevant_docs.values() for chunk_id in ids)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        ("标题".encode("gb18030"), "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[1]", "no object queries and no object corpus and no object relevant_docs"),
        (b'{"queries": {}, "corpus": [], "relevant_docs": {}}', "no object corpus"),
        (b'{"queries": {}, "corpus": {}, "relevant_docs": {}, "mode": "image"}', 'has mode "image"'),
        (b'{"queries": {"q": null}, "corpus": {}, "relevant_docs": {}}', "queries['q'] is not a text but null"),
        (b'{"queries": {}, "corpus": {"c": {"a": 1}}, "relevant_docs": {}}', "corpus['c'] is not a text"),
        (b'{"queries": {}, "corpus": {"c": "ab\\ud800"}, "relevant_docs": {}}', "half a character at position 2"),
        (b'{"queries": {}, "corpus": {}, "relevant_docs": {"q": "c"}}', "relevant_docs['q'] is not a list of ids"),
        (b'{"queries": {}, "corpus": {}, "relevant_docs": {"q": [1]}}', "relevant_docs['q'] is not a list of ids"),
    ],
)
def test_a_malformed_llama_index_file_is_named_with_what_is_wrong(tmp_path, content, what):
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        read_llama_index(path)
    assert str(path) in str(caught.value)
    assert what in str(caught.value)


@given(st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3)))
@settings(max_examples=60, deadline=None)
def test_whatever_the_json_is_the_error_is_a_dataset_error(value):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        path.write_text(json.dumps({"queries": {"q": value}, "corpus": {"c": "x"}, "relevant_docs": {"q": value}}))
        with pytest.raises(DatasetError):  # never a text and a list at once
            read_llama_index(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(DatasetError, match=r"No dataset file .*absent\.json .relative paths start at"):
        read_llama_index(tmp_path / "absent.json")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_llama_index(tmp_path)


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "a.json"
    write_llama_index(path, CHINESE)
    write_beir(tmp_path, {"test": CHINESE})
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    broken = RetrievalDataset(CHINESE.queries, {"c1": "ok", "c2": "\ud800"}, CHINESE.relevant_docs)
    with pytest.raises(UnicodeEncodeError):
        write_beir(tmp_path, {"test": broken})
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_a_beir_split_is_read_with_titles_joined_and_only_positive_scores(tmp_path):
    found = read_beir(beir(tmp_path), "test")
    assert found.corpus == {"c1": "A title a text", "c2": "another"}
    assert found.queries == {"q2": "two?", "q1": "one?"}  # q3 has nothing relevant
    assert found.relevant_docs == {"q2": ("c1",), "q1": ("c2", "c1")}


def test_a_qrels_file_without_a_header_loses_no_line(tmp_path):
    found = read_beir(beir(tmp_path, **{"qrels__test.tsv": "q1\tc1\t1\n"}), "test")
    assert found.relevant_docs == {"q1": ("c1",)}


@settings(max_examples=100, deadline=None)
@given(datasets())
def test_a_beir_folder_written_and_read_is_the_same_dataset(dataset):
    with tempfile.TemporaryDirectory() as folder:
        write_beir(Path(folder), {"test": dataset})
        # A chunk that happens to be a copy of its question is left out of its ranking.
        assert dataclasses.replace(read_beir(Path(folder), "test"), excluded={}) == dataset
        names = {str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file()}
        assert names == set(BEIR_FILES)


def test_parts_of_a_beir_folder_share_a_corpus_and_keep_their_questions(tmp_path):
    other = RetrievalDataset({"t": "train?"}, {"c1": CHINESE.corpus["c1"], "c9": "more"}, {"t": ("c9",)})
    write_beir(tmp_path, {"train": other, "test": CHINESE})
    train, test = read_beir(tmp_path, "train"), read_beir(tmp_path, "test")
    assert train.queries == other.queries
    assert (test.queries, test.relevant_docs) == (CHINESE.queries, CHINESE.relevant_docs)
    assert train.corpus == test.corpus == {**other.corpus, **CHINESE.corpus}


def test_parts_that_disagree_about_a_text_are_refused(tmp_path):
    other = RetrievalDataset({"q9": "?"}, {"c1": "different"}, {"q9": ("c1",)})
    with pytest.raises(DatasetError, match="different texts for 'c1' in corpus"):
        write_beir(tmp_path, {"train": other, "test": CHINESE})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("corpus.jsonl", None, "A BEIR folder has"),
        ("queries.jsonl", None, "A BEIR folder has"),
        ("qrels/test.tsv", None, "A BEIR folder has"),
        ("corpus.jsonl", '{"_id": "c1", "text": "x"}\nnot json\n', "line 2: expected"),
        ("corpus.jsonl", '{"_id": "c1"}\n', "line 1: expected"),
        ("corpus.jsonl", "[1]\n", "line 1: expected"),
        ("corpus.jsonl", '{"_id": "c1", "text": 5}\n', "line 1: text is not a text but 5"),
        ("corpus.jsonl", '{"_id": "c1", "text": "x", "title": [1]}\n', "line 1: title is not a text"),
        ("queries.jsonl", '{"_id": "q1", "text": "x"}\n{"_id": "q1", "text": "y"}\n', "line 2: the id 'q1' stands"),
        ("queries.jsonl", '{"_id": "q1", "text": "x"}\n', "judges query 'q2'"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1 c1 1\n", "line 2: expected query-id, corpus-id, score"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\tc1\tyes\n", "line 2: expected"),
        ("qrels/test.tsv", "q1\tc1\n", "line 1: expected"),
    ],
)
def test_a_malformed_beir_folder_is_named_with_file_and_line(tmp_path, name, text, what):
    with pytest.raises(DatasetError) as caught:
        read_beir(beir(tmp_path, **{name.replace("/", "__"): text}), "test")
    assert str(tmp_path / name) in str(caught.value)
    assert what in str(caught.value)


def test_a_binary_beir_file_is_named(tmp_path):
    (beir(tmp_path) / "queries.jsonl").write_bytes(bytes(range(32)) * 9)
    with pytest.raises(DatasetError, match=r"queries\.jsonl cannot be read: it is binary"):
        read_beir(tmp_path, "test")
