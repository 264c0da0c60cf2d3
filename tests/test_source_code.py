"""The code part of a cache key: all that a stage's build reaches, and nothing kept by hand."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from embft import source_code
from embft.source_code import NOT_FOLLOWED, code_of
from embft.steps.keys import GROUPS_IN_KEY

PACKAGE = Path(source_code.__file__).parent
STAGES = {name: f"embft.steps.{name}" for name in GROUPS_IN_KEY if name != "given_corpus"}
EVERY_MODULE = sorted({module for root in STAGES.values() for module in code_of(root).modules})


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package, to change."""
    shutil.copytree(PACKAGE, tmp_path / "embft", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "embft"


def path_of(module: str, package: Path) -> Path:
    place = package.joinpath(*module.split(".")[1:])
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def digests(changed: str, copy: Path, *stages: str) -> dict[str, str]:
    """The code parts of the keys with one module as it stands in the copy; the others are parsed once for all tests."""
    plain = source_code._module
    fresh = plain.__wrapped__(changed, copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source_code, "_module", lambda name, _: fresh if name == changed else plain(name, PACKAGE))
        patch.setattr(source_code, "_versions", lambda imported: {})  # no part of the digest, and slow to look up
        return {stage: source_code._code_of.__wrapped__((STAGES[stage],), copy).digest for stage in stages or STAGES}


@pytest.mark.slow
def test_a_changed_line_of_any_module_of_the_closure_moves_the_key(copy):
    """Every module of every stage."""
    before = {stage: code_of(root) for stage, root in STAGES.items()}
    for changed in EVERY_MODULE:
        path = path_of(changed, copy)
        original = path.read_text(encoding="utf-8")
        path.write_text(f"{original}\nCHANGED = 1\n", encoding="utf-8")
        for stage, digest in digests(changed, copy).items():
            assert (digest != before[stage].digest) == (changed in before[stage].modules), (stage, changed)
        path.write_text(original, encoding="utf-8")


@pytest.mark.parametrize(
    ("stage", "modules"),
    [
        ("training", ["evaluation.significance", "retrieval.embedder", "models.encoder", "training.dev_search"]),
        ("whitening", ["training.whitening", "evaluation.significance", "models.vectors"]),
        ("ranking", ["training.adapter", "models.vectors", "models.encoder", "ranking.fused", "ranking.dense"]),
        ("general", ["models.vectors", "retrieval.embedder", "retrieval.late_search", "dataset.formats"]),
        ("dataset", ["retrieval.bm25", "questions.traits", "evaluation.realism"]),
        ("costs", ["retrieval.bm25", "evaluation.search_costs"]),
        ("audits", ["evaluation.power", "evaluation.dependence", "text.passage_dependence"]),
        ("questions", ["questions.llm", "questions.batch", "questions.local_llm", "questions.extractive"]),
        ("reading", ["corpus.pdf", "corpus.html"]),
        ("corpus", ["corpus.chunking"]),
    ],
)
def test_modules_that_lists_kept_by_hand_forgot_are_in_the_key(stage, modules):
    reached = code_of(STAGES[stage]).modules
    assert {f"embft.{name}" for name in modules} <= set(reached)


def test_a_comment_or_a_docstring_moves_no_key_and_a_changed_figure_does(copy):
    name = "embft.evaluation.significance"
    path = path_of(name, copy)
    before = code_of(STAGES["training"]).digest
    original = path.read_text(encoding="utf-8")

    def after(text: str) -> str:
        path.write_text(text, encoding="utf-8")
        return digests(name, copy, "training")["training"]

    assert after(original + "\n# A thought.\n") == before
    assert after(re.sub(r'^"""', '"""Said otherwise. ', original)) == before
    assert after(original.replace("def standard_error", "def other_error", 1)) != before


def test_what_is_imported_inside_a_function_or_named_in_a_string_is_reached():
    assert "embft.training.trainer" in code_of(STAGES["training"]).modules  # inside of fine_tune
    assert "embft.questions.batch" in code_of(STAGES["questions"]).modules  # by name, in BACKENDS


def test_no_stage_follows_what_decides_nothing():
    assert not [module for module in EVERY_MODULE if source_code.is_left_out(module)]
    assert all(reason for reason in NOT_FOLLOWED.values())


def test_another_version_of_a_library_is_another_key(monkeypatch):
    training, reading = (code_of(STAGES[name]).libraries for name in ("training", "reading"))
    assert {"torch", "transformers", "sentence-transformers", "bm25s"} <= set(training)
    assert {"pypdfium2", "selectolax"} <= set(reading)
    assert "semantic-text-splitter" in code_of(STAGES["corpus"]).libraries
    plain = source_code.metadata.version
    monkeypatch.setattr(source_code.metadata, "version", lambda name: "9.9" if name == "pypdfium2" else plain(name))
    assert source_code._code_of.__wrapped__((STAGES["reading"],), PACKAGE).libraries["pypdfium2"] == "9.9"


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(ModuleNotFoundError, match=r"embft\.nothing"):
        code_of("embft.nothing")
