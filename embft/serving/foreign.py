"""Embeds texts with another library, in its environment, without embft: python foreign.py OPENED.

OPENED is a JSON object: ``library``; ``place``, a folder or a base URL; ``prompts`` before questions and passages, or null;
for a URL ``models``, the names for questions and passages, and ``key``, the environment variable that holds the key. Each line
of standard input is an object with ``texts``, ``queries`` and ``answer``, the file that gets float32 [n_texts, dim]; a line
on standard output says that it is written.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Embed = Callable[[Sequence[str], bool], Any]
"""Texts, and whether they are questions, to their vectors."""
Prompts = Sequence[str] | None


def main(opened: str) -> None:
    """Opens the model once, then answers line by line."""
    import numpy as np

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    request = json.loads(opened)
    place, prompts = request["place"], request["prompts"]
    if place.startswith(("http://", "https://")):
        key = os.environ.get(request["key"] or "", "") or "none"
        embed = CLIENTS[request["library"]](place, request["models"], prompts or ("", ""), key)
    else:
        embed = FOLDERS[request["library"]](place, prompts)
    for line in sys.stdin:
        asked = json.loads(line)
        np.save(asked["answer"], np.asarray(embed(asked["texts"], asked["queries"]), np.float32))
        print("written", file=answers, flush=True)


def sentence_transformers(folder: str, prompts: Prompts = None) -> Embed:
    """``encode_query`` and ``encode_document`` where there are such, else ``encode`` with the folder's prompt by name."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, device="cpu")

    def embed(texts: Sequence[str], queries: bool) -> Any:
        if prompts is not None:
            return model.encode(texts, prompt=prompts[0 if queries else 1])
        if hasattr(model, "encode_query"):
            return model.encode_query(texts) if queries else model.encode_document(texts)
        name = "query" if queries else "document"
        return model.encode(texts, prompt_name=name if name in (model.prompts or {}) else None)

    return embed


def llama_index(folder: str, prompts: Prompts = None) -> Embed:
    """HuggingFaceEmbedding; prompts may be its own arguments."""
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    given = {} if prompts is None else {"query_instruction": prompts[0], "text_instruction": prompts[1]}
    model = HuggingFaceEmbedding(folder, device="cpu", **given)

    def embed(texts: Sequence[str], queries: bool) -> Any:
        return [model.get_query_embedding(text) for text in texts] if queries else model.get_text_embedding_batch(texts)

    return embed


def langchain(folder: str, prompts: Prompts = None) -> Embed:
    """HuggingFaceEmbeddings; prompts may go into the arguments of ``encode``."""
    from langchain_huggingface import HuggingFaceEmbeddings

    given = (
        {}
        if prompts is None
        else {"query_encode_kwargs": {"prompt": prompts[0]}, "encode_kwargs": {"prompt": prompts[1]}}
    )
    model = HuggingFaceEmbeddings(model_name=folder, model_kwargs={"device": "cpu"}, **given)

    def embed(texts: Sequence[str], queries: bool) -> Any:
        return [model.embed_query(text) for text in texts] if queries else model.embed_documents(texts)

    return embed


def haystack(folder: str, prompts: Prompts = None) -> Embed:
    """SentenceTransformersTextEmbedder for questions, SentenceTransformersDocumentEmbedder for passages; prompts are prefixes."""
    from haystack import Document
    from haystack.utils import ComponentDevice

    try:
        from haystack_integrations.components.embedders import sentence_transformers as place
    except ImportError:  # before haystack 3
        from haystack.components import embedders as place

    settings = {"model": folder, "device": ComponentDevice.from_str("cpu"), "progress_bar": False}
    query, document = prompts or ("", "")
    for_questions = place.SentenceTransformersTextEmbedder(prefix=query, **settings)
    for_passages = place.SentenceTransformersDocumentEmbedder(prefix=document, **settings)
    for_questions.warm_up()
    for_passages.warm_up()

    def embed(texts: Sequence[str], queries: bool) -> Any:
        if queries:
            return [for_questions.run(text)["embedding"] for text in texts]
        return [row.embedding for row in for_passages.run([Document(content=text) for text in texts])["documents"]]

    return embed


def fastembed(folder: str, prompts: Prompts = None) -> Embed:
    """A model of its own from the ONNX export: pooled and normalised in the graph; prompts are put before the texts."""
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    size = json.loads(Path(folder).parent.joinpath("search.json").read_text(encoding="utf-8"))["dimensions"]
    TextEmbedding.add_custom_model(
        model="served", pooling=PoolingType.DISABLED, normalization=False, sources=ModelSource(url=folder), dim=size,
        model_file="model.onnx",
    )  # fmt: skip
    model = TextEmbedding("served", specific_model_path=folder)

    def embed(texts: Sequence[str], queries: bool) -> Any:
        prompt = "" if prompts is None else prompts[0 if queries else 1]
        return list(model.embed([prompt + text for text in texts]))

    return embed


def llama_index_client(url: str, models: Sequence[str], prompts: Sequence[str], key: str) -> Embed:
    """OpenAILikeEmbedding; where questions have a model name of their own, the retriever is given a second one."""
    from llama_index.embeddings.openai_like import OpenAILikeEmbedding

    clients = [OpenAILikeEmbedding(model_name=name, api_base=url, api_key=key) for name in models]

    def embed(texts: Sequence[str], queries: bool) -> Any:
        if queries:
            return [clients[0].get_query_embedding(prompts[0] + text) for text in texts]
        return clients[1].get_text_embedding_batch([prompts[1] + text for text in texts])

    return embed


def langchain_client(url: str, models: Sequence[str], prompts: Sequence[str], key: str) -> Embed:
    """OpenAIEmbeddings, which is told not to send OpenAI's token numbers."""
    from langchain_openai import OpenAIEmbeddings

    clients = [
        OpenAIEmbeddings(model=name, base_url=url, api_key=key, check_embedding_ctx_length=False) for name in models
    ]

    def embed(texts: Sequence[str], queries: bool) -> Any:
        if queries:
            return [clients[0].embed_query(prompts[0] + text) for text in texts]
        return clients[1].embed_documents([prompts[1] + text for text in texts])

    return embed


def haystack_client(url: str, models: Sequence[str], prompts: Sequence[str], key: str) -> Embed:
    """OpenAITextEmbedder for questions, OpenAIDocumentEmbedder for passages."""
    from haystack import Document
    from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
    from haystack.utils import Secret

    settings = {"api_base_url": url, "api_key": Secret.from_token(key)}
    for_questions = OpenAITextEmbedder(model=models[0], prefix=prompts[0], **settings)
    for_passages = OpenAIDocumentEmbedder(model=models[1], prefix=prompts[1], progress_bar=False, **settings)

    def embed(texts: Sequence[str], queries: bool) -> Any:
        if queries:
            return [for_questions.run(text)["embedding"] for text in texts]
        return [row.embedding for row in for_passages.run([Document(content=text) for text in texts])["documents"]]

    return embed


FOLDERS: dict[str, Callable[[str, Prompts], Embed]] = {
    "sentence-transformers": sentence_transformers,
    "llama-index": llama_index,
    "langchain": langchain,
    "haystack": haystack,
    "fastembed": fastembed,
}
"""By library, what opens a model's folder, or for fastembed the export's ``onnx``."""
CLIENTS: dict[str, Callable[[str, Sequence[str], Sequence[str], str], Embed]] = {
    "llama-index": llama_index_client,
    "langchain": langchain_client,
    "haystack": haystack_client,
}
"""By library, its client of OpenAI's interface."""


if __name__ == "__main__":
    main(sys.argv[1])
