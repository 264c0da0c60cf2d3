"""The client of an OpenAI-compatible endpoint, and what its refusals mean. The key goes nowhere but into its requests."""

from __future__ import annotations

import os
from typing import Any

from embft.config import QuestionsConfig
from embft.errors import EndpointError


def open_client(config: QuestionsConfig) -> Any:
    """An ``openai.AsyncOpenAI``, which retries with backoff and waits as long as Retry-After says.

    Raises:
        EndpointError: The environment variable that should hold the key is not set, or holds none.
    """
    import openai

    variable = config.api_key_env
    key = os.environ.get(variable, "") if variable else "none"
    if not key:
        raise EndpointError(
            f"questions={config.name} needs a key in the environment variable {variable}, which is not set. Set it, or name "
            "another with questions.api_key_env, or null for an endpoint without keys, or take questions=extractive, which "
            "needs no LLM."
        )
    if not (key.isascii() and key.isprintable()):
        raise EndpointError(
            f"The key in ${variable} holds a line break or a character that no key has (its value is not shown): set the "
            "variable again."
        )
    return openai.AsyncOpenAI(
        api_key=key, base_url=config.base_url, timeout=config.timeout_seconds, max_retries=config.max_retries
    )


def where(config: QuestionsConfig) -> str:
    """The endpoint in a message."""
    return config.base_url or "The OpenAI API"


def refused_key(config: QuestionsConfig) -> EndpointError:
    """Says so without the client's own error, which holds the request."""
    return EndpointError(f"{where(config)} refused the key in ${config.api_key_env}: check it, or questions.base_url.")


def no_model(config: QuestionsConfig) -> EndpointError:
    """The endpoint does not know the model, or is none."""
    return EndpointError(
        f"{where(config)} has no model '{config.model}': check questions.model and questions.base_url."
    )


def unreachable(config: QuestionsConfig) -> EndpointError:
    """No connection at all."""
    return EndpointError(
        f"{where(config)} cannot be reached: check questions.base_url and the network, or take questions=extractive, "
        "which needs no LLM. Replies that came are kept."
    )
