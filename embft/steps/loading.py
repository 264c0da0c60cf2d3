"""How the tuned model is loaded, for its card."""

from __future__ import annotations

from embft.config import ExperimentConfig, RetrievalConfig
from embft.retrieval.windows import window_sizes
from embft.steps.training import Tuned


def window_words(retrieval: RetrievalConfig) -> str:
    """How long windows are, in words."""
    sizes = window_sizes(retrieval.window_tokens, retrieval.window_levels)
    return f"{sizes[0]} tokens" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]} tokens"


def load_example(config: ExperimentConfig, tuned: Tuned) -> str:
    """Python that loads the tuned model and searches as the evaluation did."""
    query, document = tuned.report["query_prompt"], tuned.report["document_prompt"]
    loads = ['model = SentenceTransformer("model")  # this folder']
    if config.model.kind == "endpoint":
        key = config.model.endpoint.api_key_env
        loads = [
            "# Vectors come from the API: embft must be installed here"
            + (f", and the key set in the environment variable {key}." if key else "."),
            "# Modules that are not sentence-transformers' own count as remote code: this one is embft's, none is in the folder.",
            'model = SentenceTransformer("model", trust_remote_code=True)  # this folder',
        ]
    lines = [
        "from sentence_transformers import SentenceTransformer",
        "",
        *loads,
        f'questions = model.encode_query(["..."], prompt={query!r})',
        f'passages = model.encode_document(["..."], prompt={document!r})',
        "scores = model.similarity(questions, passages)",
    ]
    if config.training.part == "adapter":
        lines += ["", "# Passages get the base model's own vectors: an index made with it stays as it is."]
    if config.retrieval.mode == "windows":
        tokens, overlap, levels = config.retrieval.windows
        lines += [
            "",
            f"# The figures are with chunks cut in windows of {window_words(config.retrieval)}, a chunk scoring as its best one:",
            f"# embft.retrieval.windows.cut_windows(chunks, token_spans, {tokens}, {overlap}, {levels}, limit) does that.",
        ]
    return "\n".join(lines)
