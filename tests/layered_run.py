"""A small run whose tuned model has prompts, a limit and a last layer: something for each way to serve it wrongly."""

from __future__ import annotations

from pathlib import Path

from small_run import run_small, save_model

QUERY, DOCUMENT = "how do i find ", "your team : "


def run_layered(root: Path) -> Path:
    """Runs it below ``root``; returns the run folder."""
    with_layer(save_model(root / "layered"))
    return run_small(
        root, "run", f"model.path={root / 'layered'}", f"model.query_prompt='{QUERY}'",
        f"model.document_prompt='{DOCUMENT}'", "retrieval.window_tokens=20", "evaluation.systems=[bm25,base,tuned,fused]",
    )  # fmt: skip


def with_layer(folder: Path) -> None:
    """Puts a dense layer and a second normalisation on top of a model."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Normalize

    torch.manual_seed(5)
    model = SentenceTransformer(str(folder), device="cpu")
    for module in (Dense(32, 32, activation_function=torch.nn.Identity()), Normalize()):
        model.append(module)
    model.save_pretrained(str(folder), create_model_card=False)
