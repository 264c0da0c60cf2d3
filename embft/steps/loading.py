"""How the tuned model is loaded, for its card."""

from __future__ import annotations

from embft.config import ExperimentConfig
from embft.steps.training import Tuned


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
        lines += [
            "",
            f"# The figures are with chunks cut in windows of {config.retrieval.window_tokens} tokens (overlap "
            f"{config.retrieval.window_overlap}),",
            "# a chunk scoring as its best window: embft.retrieval.windows.cut_windows does that.",
        ]
    return "\n".join(lines)
