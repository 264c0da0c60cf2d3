"""Python that loads the tuned model and searches as the evaluation did, for its card."""

from __future__ import annotations

from embft.config import ExperimentConfig
from embft.models.folder_check import check_folder
from embft.models.kinds import MULTI_VECTOR
from embft.results import Tuned


def load_example(config: ExperimentConfig, tuned: Tuned, has_contexts: bool = False) -> str:
    """Python that loads the tuned model and searches as the evaluation did."""
    late = config.retrieval.mode == "late"
    many_vectors = late and check_folder("tuned", tuned.folder).kind == MULTI_VECTOR
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
    if many_vectors:
        loads = ['model = MultiVectorEncoder("model")  # this folder; sentence-transformers 6 or later']
        imports = ["import torch", "from sentence_transformers import MultiVectorEncoder"]
        asks = _many_vectors_example(query, document)
    elif late:
        asks = _late_example(query, document)
        imports = ["import torch", *imports, "from torch.nn.functional import normalize"]
    lines = [*imports, "", *loads, *asks]
    if has_contexts:
        lines += [
            "",
            "# Each passage is its chunk's context, a line break, and its text, or a window of it; questions have none:",
            "# embft.embedded_text.embedded_text(context, text). The contexts: dataset/contexts.json of the run, by chunk id.",
        ]
    if config.training.part == "adapter":
        lines += ["", "# Passages get the base model's own vectors: an index made with it stays as it is."]
    if config.retrieval.mode != "truncate":
        lines += [
            "",
            f"# The figures are with chunks cut in windows of {config.retrieval.window_tokens} tokens (overlap "
            f"{config.retrieval.window_overlap}),",
            "# whose tokens are searched together: embft.retrieval.windows.cut_windows cuts them."
            if late
            else "# a chunk scoring as its best window: embft.retrieval.windows.cut_windows does that.",
        ]
    return "\n".join(lines)


def _many_vectors_example(query: str, document: str) -> list[str]:
    """One vector per token that counts, as the model itself says."""
    return [
        f'questions = model.encode_query(["..."], prompt={query!r})',
        'windows = ["..."]  # of one chunk',
        f"chunk = [torch.cat(model.encode_document(windows, prompt={document!r}))]",
        "score = model.similarity(questions, chunk, length_normalize=True)[0, 0]  # the mean over the question's tokens",
    ]


def _late_example(query: str, document: str) -> list[str]:
    """One vector per token of the text itself: without the marks of its ends, without padding and prompt."""
    return [
        "",
        "def token_vectors(encode, prompt, text):",
        '    """One vector per token of the text, without the prompt\'s and those that mark its ends."""',
        '    vectors = encode(text, prompt=prompt, output_value="token_embeddings")  # one text at a time: no padding',
        '    cut = {"truncation": True, "max_length": model.max_seq_length}',
        '    spans = model.tokenizer(prompt + text, return_offsets_mapping=True, **cut)["offset_mapping"]',
        "    own = torch.tensor([end > len(prompt) for _, end in spans])",
        "    return normalize(vectors[own.to(vectors.device)], dim=-1)",
        "",
        f'question = token_vectors(model.encode_query, {query!r}, "...")',
        'windows = ["..."]  # of one chunk',
        f"chunk = torch.cat([token_vectors(model.encode_document, {document!r}, window) for window in windows])",
        "score = (question @ chunk.T).max(dim=1).values.mean()",
    ]
