"""Python that loads the tuned model and searches as the evaluation did, for its card."""

from __future__ import annotations

from embft.config import ExperimentConfig
from embft.results import Tuned


def load_example(config: ExperimentConfig, tuned: Tuned) -> str:
    """Python that loads the tuned model and searches as the evaluation did."""
    query, document = tuned.report.query_prompt, tuned.report.document_prompt
    loads = ['model = SentenceTransformer("model")  # this folder']
    if config.model.kind == "endpoint":
        key = config.model.endpoint.api_key_env
        loads = [
            "# Vectors come from the API: embft must be installed here"
            + (f", and the key set in the environment variable {key}." if key else "."),
            "# Modules that are not sentence-transformers' own count as remote code: this one is embft's, none is in the folder.",
            'model = SentenceTransformer("model", trust_remote_code=True)  # this folder',
        ]
    asks = [
        f'questions = model.encode_query(["..."], prompt={query!r})',
        f'passages = model.encode_document(["..."], prompt={document!r})',
        "scores = model.similarity(questions, passages)",
    ]
    imports = ["from sentence_transformers import SentenceTransformer"]
    if config.retrieval.mode == "late":
        asks = _late_example(query, document)
        imports = ["import torch", *imports, "from torch.nn.functional import normalize"]
    lines = [*imports, "", *loads, *asks]
    if config.training.part == "adapter":
        lines += ["", "# Passages get the base model's own vectors: an index made with it stays as it is."]
    if config.retrieval.mode != "truncate":
        lines += [
            "",
            f"# The figures are with chunks cut in windows of {config.retrieval.window_tokens} tokens (overlap "
            f"{config.retrieval.window_overlap}),",
            "# whose tokens are searched together: embft.retrieval.windows.cut_windows cuts them."
            if config.retrieval.mode == "late"
            else "# a chunk scoring as its best window: embft.retrieval.windows.cut_windows does that.",
        ]
    return "\n".join(lines)


def _late_example(query: str, document: str) -> list[str]:
    """One vector per token, without the first and the last, which mark a text's ends, and without those of a prompt."""

    def own(prompt: str) -> str:
        return f"found[1 + len(model.tokenizer.tokenize({prompt!r})) : -1]" if prompt else "found[1:-1]"

    return [
        f'found = model.encode_query("...", prompt={query!r}, output_value="token_embeddings")',
        f"question = normalize({own(query)}, dim=-1)  # one vector per token, without those that mark the text's ends",
        f'windows = model.encode_document(["..."], prompt={document!r}, output_value="token_embeddings")  # of one chunk',
        f"chunk = torch.cat([normalize({own(document)}, dim=-1) for found in windows])",
        "score = (question @ chunk.T).max(dim=1).values.mean()",
    ]
