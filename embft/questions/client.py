"""The connection to an LLM's endpoint, and what is said when it refuses as a whole."""

from __future__ import annotations

from embft.config import QuestionsConfig
from embft.errors import EndpointError
from embft.services.address import Address, problem_with
from embft.services.calls import Answer
from embft.services.key import read_key
from embft.services.refusals import says_no_address
from embft.services.transport import Transport

OPENAI = "https://api.openai.com/v1"


def open_client(config: QuestionsConfig) -> Transport:
    """The transport to the endpoint; its key goes nowhere but into the requests.

    Raises:
        EndpointError: The environment variable that should hold the key is not set, or holds none; or the address is none.
    """
    key = read_key(
        config.api_key_env,
        f"{config.setting}={config.name}",
        config.setting,
        f", or {config.way_out}",
    )
    base_url = config.base_url or OPENAI
    if problem := problem_with(base_url):
        raise EndpointError(f"{config.setting}.base_url {problem}")
    return Transport(
        Address.of(base_url),
        key,
        timeout_seconds=config.timeout_seconds,
        max_retries=config.max_retries,
        connections=config.concurrency,
    )


def where(config: QuestionsConfig) -> str:
    """The endpoint in a message."""
    return config.base_url or ("The local LLM" if config.backend == "local_llm" else "The OpenAI API")


def refusal_of_all(config: QuestionsConfig, answer: Answer) -> EndpointError:
    """What a refusal means that any other request would meet too."""
    server, words = where(config), answer.words.quoted
    if answer.status == 401:
        return EndpointError(
            f"{server} refused the key in ${config.api_key_env}{words}. Check it, or {config.setting}.base_url."
        )
    if answer.status == 403:
        return EndpointError(
            f"{server} answered 403{words}. Check what the key in ${config.api_key_env} may do, or {config.setting}.model."
        )
    if answer.status in {402, 429}:
        return EndpointError(
            f"{server} {answer.in_words}. Replies that came are kept: the same command continues from there."
        )
    if 300 <= answer.status < 400:
        return EndpointError(
            f"{server} {answer.in_words}. Set {config.setting}.base_url to the address that answers itself."
        )
    lacks = "no chat" if says_no_address(answer) else f"no model '{config.model}', or no chat"
    return EndpointError(
        f"{server} has {lacks} at this address: it {answer.in_words}. Check {config.setting}.model and "
        f"{config.setting}.base_url{_azure(config)}."
    )


def unreachable(config: QuestionsConfig, reason: str) -> EndpointError:
    """No connection at all."""
    return EndpointError(
        f"{where(config)} {reason}: check {config.setting}.base_url and the network, or {config.way_out}. Replies that came "
        "are kept."
    )


def _azure(config: QuestionsConfig) -> str:
    address = Address.of(config.base_url or OPENAI)
    if address.has_version:
        return ""
    if address.is_azure or "/deployments/" in address.root:
        return ", which needs Azure's version behind it: .../openai/deployments/NAME?api-version=2024-10-21"
    return " (most end in /v1; Azure's need ?api-version=... behind them)"
