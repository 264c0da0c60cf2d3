"""Files of a large corpus are written and read a text at a time, and are what they would be if done at once."""

import json

from embft.files import digest, write_json
from embft.text.outside import decoded, lines_of, plain_lines
from embft.text_map import digest_of_rows, read_text_map, write_text_map

TEXTS = {"a": "one\ntwo", "é\u2028": '{"x": "\\u0000"},\n', "": "", "b": "}\n", "c": "\ud800 中文\x85"}


def test_a_map_of_texts_is_the_file_that_json_writes(tmp_path):
    for texts in ({}, {"a": "b"}, {key: text for key, text in TEXTS.items() if key != "c"}):
        write_text_map(tmp_path / "a.json", texts)
        write_json(tmp_path / "b.json", texts)
        assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
        assert read_text_map(tmp_path / "a.json") == texts
        for layout in ({"indent": None}, {"indent": 4}, {"indent": 0}):
            (tmp_path / "c.json").write_text(json.dumps(texts, **layout), encoding="utf-8")
            assert read_text_map(tmp_path / "c.json") == texts


def test_rows_have_the_digest_of_their_list():
    for rows in ([], [["a", "b"]], sorted(TEXTS.items())):
        assert digest_of_rows(rows) == digest(rows)


def test_lines_are_those_of_the_whole_text_or_it_is_read_whole(tmp_path):
    path = tmp_path / "corpus.jsonl"
    for data in ("a\nb\r\n\n\u2028c\x85d", "a", "a\rb", "", "\ufeffa\nb", "a\n\x1bb", "a\0\n"):
        path.write_bytes(data.encode())
        plain = plain_lines(path)
        if plain is None:
            continue
        whole = lines_of(decoded(path.read_bytes()).text)
        assert [line for line in plain if line] == [line for line in whole if line]
    path.write_bytes("ä\nö".encode("latin-1"))
    assert plain_lines(path) is None
    path.write_bytes(b"x\n" * (1 << 19) + "中".encode()[:2])
    assert plain_lines(path) is None
