"""Datasets of LlamaIndex as people really have them, and as nobody should: read right, or refused in words."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

from dataset_files import ONE, Answers, Case, P, Q, answers_of, case, check, checked, each

from embft.dataset.formats import read_llama_index

CASES: list[Case] = []


def add(name: str, content: Any, right: Answers | str, said: str = "", file: str = "a.jsonl") -> None:
    CASES.append(case(name, content, right, said, file))


LLAMA = {"queries": {"q": Q}, "corpus": {"c": P}, "relevant_docs": {"q": ["c"]}}


def llama(**changes: Any) -> str:
    return json.dumps({**LLAMA, **changes}, ensure_ascii=False)


add("as it is", llama(mode="text"), ONE)
add("with a mark", codecs.BOM_UTF8 + llama().encode(), ONE)
add("UTF-16", llama().encode("utf-16"), ONE)
add("grades within", llama(relevant_docs={"q": {"c": 2}}), {Q: {P: 2}})
add("grades beside", llama(grades={"q": {"c": 4}}), {Q: {P: 4}})
add("grade 0", llama(corpus={"c": P, "d": "x"}, relevant_docs={"q": {"c": 1, "d": 0}}), ONE)
add(
    "grades of 0 alone",
    llama(queries={"q": Q, "r": "z?"}, relevant_docs={"q": ["c"], "r": {"c": 0}}),
    ONE,
    "grades of 0 alone",
)
add("a chunk named twice", llama(relevant_docs={"q": ["c", "c"]}), ONE)
add("ids 0", llama(queries={"0": Q}, corpus={"0": P}, relevant_docs={"0": ["0"]}), ONE)
add("a query twice", llama()[:-1] + ', "queries": {"q": "other?"}}', "the key 'queries' stands twice")
add(
    "a chunk id twice",
    llama().replace('"corpus": {', '"corpus": {"c": "other", '),
    "the key 'c' stands twice",
)
add("a chunk that is not there", llama(relevant_docs={"q": ["c", "gone"]}), "q -> gone")
add(
    "a query that is not there",
    llama(relevant_docs={"q": ["c"], "r": ["c"]}),
    "questions that are not there: 1 (r)",
)
add("nothing relevant", llama(relevant_docs={"q": []}), "without a relevant chunk")
add("an empty query", llama(queries={"q": " "}), "empty questions: 1 (q)")
add("grades in words", llama(relevant_docs={"q": {"c": "high"}}), "no whole numbers")
add("grades that are a list", llama(grades=[1]), "grades is no object")
add("ids that are numbers", llama(relevant_docs={"q": [1]}), "not a list of ids")
add("a text that is null", llama(corpus={"c": None}), "not a text but null")
add("excluded in words", llama(excluded="c"), "excluded is no object")
add("empty", "", "not JSON")
add("cut off", llama()[:-9], "not JSON")
add("a list", "[]", "no object queries")
add("brackets", "[" * 100_000, "not JSON")
add("half a character", llama(corpus={"c": "a"}).replace('"a"', '"\\ud800"'), "half a character")
add("images", llama(mode="image"), 'mode "image"')
add(
    "empty maps",
    json.dumps({"queries": {}, "corpus": {}, "relevant_docs": {}}),
    "there are no questions",
)


def _read_llama_index(folder: Path, name: str) -> tuple[Answers, str]:
    dataset = checked(read_llama_index(folder / name))
    return answers_of(dataset), " ".join(dataset.notes)


@each(CASES)
def test_a_file_is_read_right_or_refused_in_words(case: Case, tmp_path: Path) -> None:
    check(case, _read_llama_index, tmp_path)
