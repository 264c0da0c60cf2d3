"""When other machines have something to do."""

from __future__ import annotations

import pytest
from plain_config import plain_config

from embft.config import (
    DatasetConfig,
    EvaluationConfig,
    ModelConfig,
    QuestionsConfig,
    RetrievalConfig,
    ScaleConfig,
    TrainingConfig,
)
from embft.config.held_back import HeldBackConfig
from embft.config.judging import JudgingConfig
from embft.config.scale_problems import runs_local_llm, scale_problems

WRITES = QuestionsConfig(name="local_llm", backend="local_llm")
WRITES_TEST = QuestionsConfig(name="x", test=HeldBackConfig(backend="local_llm"))
ASKED = QuestionsConfig(name="x", human="log.csv", test=HeldBackConfig(backend="local_llm"))
JUDGES = EvaluationConfig(name="x", judge="llm", judging=JudgingConfig(backend="local_llm"))
NOT_TRAINED = TrainingConfig(name="none", enabled=False)
GIVEN = DatasetConfig(name="llama_index", kind="llama_index")


@pytest.mark.parametrize(
    ("groups", "runs"),
    [
        ({}, False),
        ({"questions": WRITES}, True),
        ({"questions": WRITES, "training": NOT_TRAINED}, False),
        ({"questions": WRITES, "dataset": GIVEN}, False),
        ({"questions": WRITES_TEST, "training": NOT_TRAINED}, True),
        ({"questions": ASKED}, False),
        ({"evaluation": JUDGES, "dataset": GIVEN}, True),
    ],
)
def test_whether_a_local_llm_is_asked_at_all(groups, runs):
    assert runs_local_llm(plain_config(**groups)) is runs


def test_machines_without_anything_to_do_are_refused_and_those_that_write_or_rank_are_not():
    scale, late = ScaleConfig(name="ray", kind="ray"), RetrievalConfig(name="late", mode="late")
    assert "leave one of them out" in " ".join(scale_problems(plain_config(scale=scale, retrieval=late)))
    assert not list(scale_problems(plain_config(scale=scale, retrieval=late, questions=WRITES)))
    assert not list(scale_problems(plain_config(scale=scale, model=ModelConfig(name="openai", kind="endpoint"))))
