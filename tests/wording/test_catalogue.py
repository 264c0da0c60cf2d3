"""Code and catalogue agree: each sentence is in both, and nothing that a stage writes down is left without its Chinese."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

from embft.corpus.context import ContextReport
from embft.corpus.reading import ReadingReport
from embft.dataset import traits as slice_traits
from embft.questions.traits import KINDS
from embft.reporting.comparison_phrases import comparison_words
from embft.reporting.explorer import explorer_words
from embft.wording.catalogue import catalogue, places, read

PACKAGE = Path(__file__).parents[2] / "embft"
TEMPLATES = PACKAGE / "reporting" / "templates"
STAGES = "stages.yaml"
FILES = read("zh")
SPOKEN = [row for name, rows in FILES.items() if name != STAGES for row in rows]
TOLD = FILES[STAGES]
SPEAKS = {"say": 0, "worded": 0, "counted": 2}
"""Function to the argument that is the catalogue's key."""
TELLS = ("corpus", "dataset", "evaluation", "judging", "models", "questions", "ranking", "steps", "text")
"""Packages whose notes, warnings and findings a report shows; of `embft.reporting` it is the module notes."""
LISTS = {"warnings", "notes"}


@cache
def nodes_of_code() -> list[tuple[Path, ast.AST]]:
    """What speaks and tells in embft's syntax trees, with its file."""
    sources = ((file.relative_to(PACKAGE), file.read_text(encoding="utf-8")) for file in sorted(PACKAGE.rglob("*.py")))
    return [
        (file, node)
        for file, source in sources
        if file.parts[0] in {*TELLS, "reporting", "results"} or "embft.wording" in source
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Call, ast.AugAssign, ast.Constant))
    ]


@cache
def said() -> set[str]:
    """Every English sentence that code and templates say."""
    found = set()
    for _, node in nodes_of_code():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SPEAKS:
            key = node.args[SPEAKS[node.func.id]]
            if isinstance(key, ast.Constant):
                found.add(key.value)
    for template in TEMPLATES.glob("*.html"):
        for call in jinja2.Environment().parse(template.read_text(encoding="utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name in SPEAKS:
                key = call.args[SPEAKS[call.node.name]]
                if isinstance(key, nodes.Const):
                    found.add(key.value)
    return found


def text_of(node: ast.expr, value: str = "7") -> str | None:
    """A string of the code with ``value`` at each place; None for other expressions."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else value for part in node.values)
    return None


def told() -> Iterator[tuple[str, str]]:
    """Every sentence that code appends to warnings and notes, or puts into a finding or a note: where, and with a 7 in it."""
    for file, node in nodes_of_code():
        for expression in _telling(node) if file.parts[0] in TELLS or file.name == "notes.py" else ():
            for part in _strings(expression):
                text = text_of(part)
                if text is not None and len(text.split()) > 3:
                    yield f"{file}:{part.lineno}", text


def _telling(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id in LISTS:
        return [node.value]
    if not isinstance(node, ast.Call):
        return []
    name = node.func
    if isinstance(name, ast.Attribute) and name.attr in {"append", "extend"}:
        of = name.value
        owner = of.id if isinstance(of, ast.Name) else of.attr if isinstance(of, ast.Attribute) else ""
        return list(node.args) if owner in LISTS else []
    if isinstance(name, ast.Name) and name.id == "Finding":
        return node.args[4:6]
    return node.args[1:2] if isinstance(name, ast.Name) and name.id == "Note" else []


def _strings(expression: ast.expr) -> Iterator[ast.expr]:
    """The strings of an expression that are no part of another one."""
    if text_of(expression) is not None:
        yield expression
    else:
        for child in ast.iter_child_nodes(expression):
            if isinstance(child, ast.expr):
                yield from _strings(child)


def counts_of_reading() -> list[str]:
    """Names of the counts as a report shows them."""
    return [field.name.replace("_", " ") for kind in (ReadingReport, ContextReport) for field in fields(kind)]


def test_the_catalogue_has_what_the_code_says_and_nothing_else() -> None:
    own = {row["en"] for row in SPOKEN}
    assert said() - own == set(), "say it in Chinese, in embft/wording/zh/"
    assert own - said() == set(), "nobody says this any more: take it out of embft/wording/zh/"


def test_every_sentence_stands_there_once_and_has_chinese() -> None:
    counts = Counter(row["en"] for rows in FILES.values() for row in rows)
    assert [text for text, count in counts.items() if count > 1] == []
    assert all(row.keys() == {"en", "zh"} and row["zh"] for rows in FILES.values() for row in rows)


@pytest.mark.parametrize("row", SPOKEN, ids=lambda row: row["en"][:40])
def test_both_languages_have_the_same_places(row: dict[str, str]) -> None:
    assert places(row["zh"]) == places(row["en"])


def test_what_is_told_again_has_no_place_that_the_english_lacks() -> None:
    for row in TOLD:
        assert places(row["zh"]).keys() <= places(row["en"]).keys(), row


def test_every_warning_and_finding_of_the_stages_has_its_chinese() -> None:
    known, sentences = catalogue("zh").knows, "\n".join(row["en"] for row in TOLD)
    # What is put behind a file's name is told with that name, and the second half of a sentence with its first.
    forms = ("{}", "a.pdf {}", "a.pdf: {}", "{}.", "a.pdf {}.")
    missing = [
        f"{where}: {text}"
        for where, text in told()
        if not any(known(form.format(text)) for form in forms) and not (text[0] == " " and text in sentences)
    ]
    assert missing == [], "tell it in Chinese, in embft/wording/zh/stages.yaml"


def test_no_sentence_is_told_again_that_no_stage_tells() -> None:
    strings = [
        node.value for _, node in nodes_of_code() if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    labels = [key.arg or "" for _, node in nodes_of_code() if isinstance(node, ast.Call) for key in node.keywords]
    text = "\n".join([*strings, *(part.replace("_", " ") for part in {*strings, *labels}), *counts_of_reading()])
    for row in TOLD:
        # The parts of a sentence may be put together from several strings.
        for piece in re.split(r"\{[^}]*\}|[,;:.] | (?:and|of|that) ", row["en"]):
            stem = piece.strip(" .,:;()'“”").removesuffix("s")
            words = stem.split()
            in_code = stem in text or (len(words) == 2 and all(word in text for word in words))
            assert len(stem) < 4 or in_code, f"no stage tells this any more: {row['en']}"


def test_names_of_kinds_slices_and_counts_have_their_chinese() -> None:
    known = catalogue("zh").knows
    names = [*KINDS, *(kind for kind, _ in slice_traits._KINDS), "keywords or other"]
    assert [name for name in [*names, *counts_of_reading()] if not known(name)] == []


@pytest.mark.parametrize(
    ("script", "given"),
    [("report.js", explorer_words()), ("compare.js", comparison_words())],
    ids=["report", "compare"],
)
def test_a_page_s_script_says_only_words_that_it_is_given(script: str, given: dict[str, str]) -> None:
    used = set(re.findall(r'\bsay\("(\w+)"', (TEMPLATES / script).read_text(encoding="utf-8")))
    assert used == given.keys()
