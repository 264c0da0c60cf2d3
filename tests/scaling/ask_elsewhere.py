"""Requests to a local LLM; as a command, asked on a cluster: python ask_elsewhere.py GGUF FOLDER RAY_ADDRESS."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from embft.config import QuestionsConfig, ScaleConfig
from embft.questions.budget import Budget
from embft.questions.chat_endpoint import Reply, ask_now
from embft.questions.local_llm import LocalServer, local_identity, open_llm
from embft.questions.reply_cache import ReplyCache
from embft.questions.tasks import Request
from embft.scaling.fleet import Fleet, open_fleet

COUNT, TOKENS = 48, 300
"""Of the command."""


def config_of(weights: Path) -> QuestionsConfig:
    return QuestionsConfig(
        name="local_llm",
        backend="local_llm",
        model=str(weights),
        api_key_env=None,
        concurrency=1,
        timeout_seconds=300.0,
    )


def request_of(model: str, endpoint: str | None, content: str, tokens: int = 16) -> Request:
    messages = [{"role": "user", "content": content}]
    body = {"model": model, "messages": messages, "temperature": 0.0, "max_tokens": tokens, "seed": 1}
    return Request(body, endpoint)


def content_of(number: int) -> str:
    return f"{number} \ud800 漢字 \u2028 of {number * 7919}"


def ask_there(weights: Path, folder: Path, fleet: Fleet | None) -> Mapping[str, Reply]:
    with open_llm(config_of(weights), fleet) as llm:
        requests = [request_of(llm.config.model, llm.endpoint, content_of(number), TOKENS) for number in range(COUNT)]
        return llm.ask(requests, llm.config, ReplyCache(folder / "replies.sqlite"), Budget(llm.config))


def ask_here(weights: Path, folder: Path) -> Mapping[str, Reply]:
    """By one thread, as there: several wait for each other where a machine is busy."""
    server, endpoint = LocalServer.start(weights, config_of(weights), threads=1), local_identity(weights)
    requests = [request_of(weights.name, endpoint, content_of(number), TOKENS) for number in range(COUNT)]
    return ask_now(requests, server.config, ReplyCache(folder / "replies.sqlite"), Budget(server.config))


def main(weights: str, folder: str, address: str) -> None:
    scale = ScaleConfig(name="ray", kind="ray", address=address, cpus=1, fewest_requests=1, shard_requests=2)
    replies = ask_there(Path(weights), Path(folder), open_fleet(scale, Path(folder)))
    print(json.dumps({key: reply.text for key, reply in replies.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
