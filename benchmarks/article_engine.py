"""Fine-tunes with the article's own toolkit, LlamaIndex's SentenceTransformersFinetuneEngine, and times it.

    benchmarks/setup_article_engine.sh
    EMBFT_NVIDIA_DATA=DIR benchmarks/.venv-article/bin/python benchmarks/article_engine.py --model DIR --out DIR

The settings are the article's: batch size 10, 2 epochs, MultipleNegativesRankingLoss, evaluation on ``val_dataset``
after each epoch (and each 50 steps), whose best model is kept. So its figures on ``val_dataset`` come from a model
that was chosen there. ``--model`` is a sentence-transformers folder; nothing is downloaded.

Progress goes to stderr. stdout is one line of JSON: ``{"seconds": 92.1, "model": "DIR"}``, where ``seconds`` is the
wall time of ``finetune()``: training, its evaluations, saving. Imports and loading are not in it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

DATA_VARIABLE = "EMBFT_NVIDIA_DATA"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    data = os.environ.get(DATA_VARIABLE)
    parser = argparse.ArgumentParser(description="Fine-tune with the article's own toolkit and time it.")
    parser.add_argument(
        "--train",
        type=Path,
        default=Path(data, "train_dataset.json") if data else None,
        required=not data,
        help=f"LlamaIndex JSON (default: train_dataset.json in ${DATA_VARIABLE})",
    )
    parser.add_argument("--model", type=Path, required=True, help="the base model, a sentence-transformers folder")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the tuned model")
    parser.add_argument(
        "--val",
        type=Path,
        default=Path(data, "val_dataset.json") if data else None,
        help=f"LlamaIndex JSON that chooses the checkpoint (default: val_dataset.json in ${DATA_VARIABLE})",
    )
    options = parser.parse_args(arguments)
    for path in (options.train, options.val, options.model):
        if not path.exists():
            parser.error(f"{path} does not exist")

    # The toolkit sends the logs of every package to stdout as it is imported, and the trainer prints.
    with contextlib.redirect_stdout(sys.stderr):
        seconds = finetune(options.train, options.val, options.model, options.out)
    print(json.dumps({"seconds": round(seconds, 2), "model": str(options.out)}))
    return 0


def finetune(train: Path, val: Path, model: Path, out: Path) -> float:
    """Runs the engine with its defaults.

    Args:
        train: Training pairs, LlamaIndex JSON.
        val: The article's ``val_dataset``, LlamaIndex JSON.
        model: A sentence-transformers folder.
        out: Where the tuned model is written.

    Returns:
        Wall time of ``finetune()`` in seconds.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    from llama_index.finetuning import EmbeddingQAFinetuneDataset, SentenceTransformersFinetuneEngine

    # fit() imports these when it is called; imported here they are not in the time.
    from sentence_transformers import SentenceTransformerTrainer  # noqa: F401
    from torch import _dynamo  # noqa: F401

    out = out.resolve()
    engine = SentenceTransformersFinetuneEngine(
        EmbeddingQAFinetuneDataset.from_json(str(train)),
        model_id=str(model.resolve()),
        model_output_path=str(out),
        val_dataset=EmbeddingQAFinetuneDataset.from_json(str(val)),
    )
    # fit() makes a folder "checkpoints" where it runs.
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        try:
            start = time.perf_counter()
            engine.finetune()
            return time.perf_counter() - start
        finally:
            os.chdir(before)


if __name__ == "__main__":
    sys.exit(main())
