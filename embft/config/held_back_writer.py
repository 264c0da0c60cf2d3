"""Who writes dev and test questions, as the settings of a question backend."""

from __future__ import annotations

from dataclasses import replace

from embft.config.experiment import ExperimentConfig
from embft.config.schema import FiltersConfig, QuestionsConfig

LLM_FILTERS = FiltersConfig(
    boilerplate=True,
    fewest_words=2,
    most_words=60,
    language=True,
    passage_dependent=True,
    near_duplicates=95,
)
"""As configs/questions/filters/llm.yaml."""


def held_back_writer(config: ExperimentConfig) -> QuestionsConfig:
    """The settings that dev and test questions are written by: those of ``questions.test``, and defaults for the others.

    From ``questions`` come only the transport, the caps and, where ``questions.test`` leaves them open, model and address.
    """
    questions, own = config.questions, config.questions.test
    asks_llm = own.backend != "extractive"
    fixed = QuestionsConfig(name=questions.name)
    return replace(
        questions,
        backend=own.backend,
        per_chunk=own.per_chunk,
        model=own.model or questions.model,
        base_url=own.base_url or questions.base_url,
        prompt=own.prompt,
        structured=own.structured,
        language=config.corpus.language if own.language == "corpus" else own.language,
        filters=LLM_FILTERS if asks_llm and own.filters else FiltersConfig(),
        pairs=0,
        types=[],
        persona=None,
        temperature=fixed.temperature,
        reply_tokens=fixed.reply_tokens,
        stands_in=None,
    )
