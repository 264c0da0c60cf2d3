"""Every setting is in the key of the stages that read it, or stands on the list of those that decide nothing."""

from __future__ import annotations

import sys
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from tiny_bert import save_tiny_bert

from embft.config import (
    CorpusConfig,
    DatasetConfig,
    EndpointConfig,
    EvaluationConfig,
    FiltersConfig,
    ModelConfig,
    QuestionsConfig,
    RetrievalConfig,
    TrainingConfig,
    register,
)
from embft.config.command_line import as_config
from embft.pipeline import run_experiment
from embft.stages import StageCache
from embft.steps.keys import GROUPS_IN_KEY, NOT_IN_KEY, settings_of

CONFIGS = str(Path(__file__).parents[2] / "configs")
register()


def composed(*overrides: str) -> Any:
    with initialize_config_dir(CONFIGS, version_base="1.3"):
        return as_config(compose("config", overrides=list(overrides)))


def other(value: Any) -> Any:
    """Some other value of the same kind."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case list():
            return [*value, "another"]
        case _:
            return "another"


def flipped(node: Any, prefix: str) -> list[tuple[str, Any]]:
    """Every field's full name with the configuration in which it alone has another value."""
    found = []
    for item in fields(node):
        value = getattr(node, item.name)
        if is_dataclass(value):
            inner = flipped(value, f"{prefix}.{item.name}")
            found += [(key, replace(node, **{item.name: changed})) for key, changed in inner]
        else:
            found.append((f"{prefix}.{item.name}", replace(node, **{item.name: other(value)})))
    return found


@pytest.mark.parametrize("stage", GROUPS_IN_KEY)
def test_a_flipped_field_moves_the_key_or_stands_on_the_list(stage):
    config = composed()
    before = settings_of(stage, config)
    seen = set()
    for group in GROUPS_IN_KEY[stage]:
        for key, changed in flipped(getattr(config, group), group):
            moves = settings_of(stage, replace(config, **{group: changed})) != before
            assert moves != (key in NOT_IN_KEY[stage]), key
            seen.add(key)
    assert set(NOT_IN_KEY[stage]) <= seen
    assert all(reason.strip() for reason in NOT_IN_KEY[stage].values())


PREFIXES = {
    CorpusConfig: ("corpus",),
    QuestionsConfig: ("questions",),
    FiltersConfig: ("questions.filters",),
    DatasetConfig: ("dataset",),
    ModelConfig: ("model",),
    EndpointConfig: ("model.endpoint", "evaluation.openai"),
    TrainingConfig: ("training",),
    RetrievalConfig: ("retrieval",),
    EvaluationConfig: ("evaluation",),
}
SPREAD_BY_VALUE = {"training.precision": "hardware", "training.device": "hardware"}
"""Read in a build, but only what they mean, which is in the key by its own name."""


@pytest.fixture
def reads(monkeypatch) -> set[tuple[str, str]]:
    """Stage and field of every setting that is read while a stage is built."""
    seen: set[tuple[str, str]] = set()
    building: list[str] = []
    plain_build = StageCache._build

    def build(self, folder, description, action):
        building.append(description["stage"])
        try:
            plain_build(self, folder, description, action)
        finally:
            building.pop()

    monkeypatch.setattr(StageCache, "_build", build)
    for kind, prefixes in PREFIXES.items():
        names = {item.name for item in fields(kind)}
        plain_get = kind.__getattribute__

        def get(self, name, names=names, prefixes=prefixes, plain_get=plain_get):
            # A copy of a whole configuration, or its form as JSON, reads every field and decides nothing by it.
            if (
                building
                and name in names
                and not sys._getframe(1).f_code.co_filename.endswith(("dataclasses.py", "copy.py"))
            ):
                groups = GROUPS_IN_KEY[building[-1]]
                near = [prefix for prefix in prefixes if prefix.partition(".")[0] in groups] or prefixes[:1]
                seen.add((building[-1], f"{near[0]}.{name}"))
            return plain_get(self, name)

        monkeypatch.setattr(kind, "__getattribute__", get)
    return seen


@pytest.mark.slow
def test_whatever_a_build_reads_is_in_its_key(tmp_path, reads):
    save_tiny_bert(tmp_path / "model")
    docs = tmp_path / "docs"
    docs.mkdir()
    from pydoc_data.topics import topics

    for name in (
        "assert",
        "break",
        "continue",
        "del",
        "for",
        "global",
        "if",
        "import",
        "lambda",
        "pass",
        "raise",
        "return",
    ):
        (docs / f"{name}.txt").write_text(topics[name][:1500], encoding="utf-8")
    common = [
        "corpus=files", f"corpus.path={docs}", "corpus.chunk_tokens=64", f"model.path={tmp_path / 'model'}", "tracking=local",
        f"cache_dir={tmp_path / 'cache'}", "evaluation.resamples=100", "training.batch_size=4", "dataset.block_pages=1",
    ]  # fmt: skip
    first = tmp_path / "windows"
    run_experiment(composed(*common, "questions.human=null"), first)
    general = f"evaluation.general={first}"
    run_experiment(composed(*common, "retrieval=truncate", "training=fast", general), tmp_path / "truncate")
    run_experiment(composed(*common, "retrieval=late", general), tmp_path / "late")
    run_experiment(composed(*common, "training=adapter"), tmp_path / "adapter")
    elsewhere = {"whitening", "given_corpus", "context", "context_choice", "judging"}
    assert {stage for stage, _ in reads} >= set(GROUPS_IN_KEY) - elsewhere
    reads.discard(("held_back", "corpus.passage_tokens"))  # in its key by its own name, where no chunk is named
    unexpected = {
        (stage, key)
        for stage, key in reads
        if key.partition(".")[0] not in GROUPS_IN_KEY[stage]
        or NOT_IN_KEY[stage].get(key) == "this stage does not read it"
    }
    assert unexpected == set()
