"""Requests as they come, to what is asked; whatever is wrong with one is said in a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embft.errors import nearest

Content = Mapping[str, Any]
"""A JSON object."""
_TASKS = {
    "query": "query",
    "search_query": "query",
    "document": "document",
    "passage": "document",
    "search_document": "document",
}
_MOST_INPUTS = 2048
"""As OpenAI's."""


class BadRequestError(Exception):
    """A request that cannot be answered.

    Args:
        message: What is wrong, and what to do.
        param: The field that is wrong.
        status: HTTP's.
    """

    def __init__(self, message: str, param: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.param = param
        self.status = status


@dataclass(frozen=True)
class ServedModel:
    """A model as its clients see it.

    Attributes:
        name: ``tuned`` or ``base``.
        dimensions: Of its whole vectors; 0 where a text has one vector per token.
        shorter: Lengths that it was trained to be cut off at.
        one_way: Whether questions and passages are embedded alike.
    """

    name: str
    dimensions: int
    shorter: tuple[int, ...]
    one_way: bool

    @property
    def names(self) -> list[str]:
        """What clients may call it."""
        return [self.name, f"{self.name}-query", f"{self.name}-document"]


@dataclass(frozen=True)
class EmbeddingsRequest:
    """A request for vectors.

    Attributes:
        model: As it was asked for.
        texts: To embed.
        task: ``query`` or ``document``.
        as_text: Whether vectors are wanted in base64.
        dimensions: To which they are cut off; None: whole.
    """

    model: str
    texts: list[str]
    task: str
    as_text: bool
    dimensions: int | None


@dataclass(frozen=True)
class SearchRequest:
    """A request for chunks.

    Attributes:
        queries: Questions.
        system: None: the one that the verdict names.
        top_k: Chunks for each.
        excluded: Chunks that are left out.
        with_text: Whether chunks come with their text.
    """

    queries: list[str]
    system: str | None
    top_k: int
    excluded: tuple[str, ...]
    with_text: bool


def parse_object(body: bytes) -> Content:
    """The JSON object of a request's body."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"The body is no JSON in UTF-8 ({error}).") from None
    if not isinstance(content, dict):
        raise BadRequestError('The body is no JSON object, such as {"input": "a text", "model": "tuned"}.')
    return content


def embeddings_request(content: Content, served: ServedModel, unnamed: str | None) -> EmbeddingsRequest:
    """Reads a request of OpenAI's ``/v1/embeddings``.

    Args:
        content: Its body.
        served: The model.
        unnamed: The task of requests that name none, where the model has two ways; None: they are refused.
    """
    if not served.dimensions:
        way_out = "OpenAI's interface cannot carry that: POST /search searches by them."
        raise BadRequestError(f"This model has one vector per token and none of a text. {way_out}", status=404)
    model = content.get("model", served.name)
    if not isinstance(model, str):
        raise BadRequestError("model is no text.", "model")
    encoding = content.get("encoding_format") or "float"
    if encoding not in ("float", "base64"):
        raise BadRequestError(f"encoding_format is {encoding!r}: only float and base64 are known.", "encoding_format")
    return EmbeddingsRequest(
        model,
        _texts(content.get("input"), "input"),
        _task(model, content.get("input_type"), served, unnamed),
        encoding == "base64",
        _dimensions(content.get("dimensions"), served),
    )


def search_request(content: Content, depth: int) -> SearchRequest:
    """Reads a request of ``/search``.

    Args:
        content: Its body.
        depth: Chunks that a ranking has.
    """
    unknown = sorted(set(content) - {"query", "queries", "system", "top_k", "exclude", "text"})
    if unknown:
        hint = nearest(unknown[0], ["query", "queries", "system", "top_k", "exclude", "text"])
        raise BadRequestError(f"There is no field {unknown[0]!r}.{hint}", unknown[0])
    if ("query" in content) == ("queries" in content):
        raise BadRequestError('Give either "query", a text, or "queries", a list of texts.', "query")
    if "query" in content and not isinstance(content["query"], str):
        raise BadRequestError("query is no text; for several, give queries.", "query")
    queries = _texts(content.get("query", content.get("queries")), "query" if "query" in content else "queries")
    system, top_k = content.get("system"), content.get("top_k", min(10, depth))
    if system is not None and not isinstance(system, str):
        raise BadRequestError("system is no text.", "system")
    if type(top_k) is not int or not 1 <= top_k <= depth:
        raise BadRequestError(f"top_k is no whole number from 1 to {depth}, the depth of the run's rankings.", "top_k")
    excluded = content.get("exclude", [])
    if not isinstance(excluded, list) or not all(isinstance(item, str) for item in excluded):
        raise BadRequestError("exclude is no list of chunk ids.", "exclude")
    with_text = content.get("text", True)
    if not isinstance(with_text, bool):
        raise BadRequestError("text is neither true nor false.", "text")
    return SearchRequest(queries, system, top_k, tuple(excluded), with_text)


def _texts(given: Any, field: str) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts:
        raise BadRequestError(f"{field} is neither a text nor a list of texts.", field)
    if any(isinstance(item, int | list) and not isinstance(item, bool) for item in texts):
        raise BadRequestError(
            f"{field} holds token numbers. They are those of OpenAI's tokenizer, which this model does not share: send texts "
            "(LangChain: OpenAIEmbeddings(check_embedding_ctx_length=False)).",
            field,
        )
    if len(texts) > _MOST_INPUTS:
        raise BadRequestError(f"{field} holds {len(texts):,} texts; {_MOST_INPUTS:,} may come in a request.", field)
    for place, text in enumerate(texts):
        where = field if isinstance(given, str) else f"{field}[{place}]"
        if not isinstance(text, str):
            raise BadRequestError(f"{where} is no text.", field)
        if not text.strip():
            raise BadRequestError(f"{where} is empty.", field)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadRequestError(f"{where} holds half of a character (a lone surrogate).", field) from None
    return texts


def _task(model: str, input_type: Any, served: ServedModel, unnamed: str | None) -> str:
    if input_type is not None and input_type not in list(_TASKS):
        raise BadRequestError(f"input_type is {input_type!r}: only query and document are known.", "input_type")
    for task in ("query", "document"):
        if model == f"{served.name}-{task}":
            return task
    if model.startswith((f"{served.name}-", f"{served.name}_")):
        raise BadRequestError(
            f"There is no model {model!r}; there are {', '.join(served.names)}.{nearest(model, served.names)}", "model"
        )
    if input_type is not None:
        return _TASKS[input_type]
    if served.one_way:
        return "document"
    if unnamed is None:
        query, document = served.names[1:]
        raise BadRequestError(
            "This model embeds questions and passages differently, and the request does not say which these are. Ask for "
            f'the model "{query}" or "{document}", or send "input_type": "query" or "document".',
            "model",
        )
    return unnamed


def _dimensions(wanted: Any, served: ServedModel) -> int | None:
    if wanted is None or wanted == served.dimensions:
        return None
    allowed = [*sorted(served.shorter), served.dimensions]
    if type(wanted) is not int or wanted not in allowed:
        only = (
            f"its vectors have {served.dimensions} numbers, and it was not trained to be cut off (training=matryoshka does)"
            if not served.shorter
            else f"it was trained for {', '.join(map(str, allowed))}"
        )
        raise BadRequestError(f"This model has no vectors of {wanted!r} numbers: {only}.", "dimensions")
    return wanted
