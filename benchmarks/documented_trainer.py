"""Fine-tunes as sentence-transformers' documentation shows it: SentenceTransformerTrainer over pairs.

    python benchmarks/documented_trainer.py --train FILE --val FILE --model DIR --out DIR

"Training Overview" on sbert.net: MultipleNegativesRankingLoss, NO_DUPLICATES batches of 16, learning rate 2e-5, 10% warm-up,
an evaluator. Two epochs; the evaluator runs after each on ``--val``, and the better one is kept. stdout is one line of JSON:
``{"seconds": 92.1, "model": "DIR"}``, the wall time of training, evaluations and saving.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser(description="Fine-tune as sentence-transformers' documentation shows it.")
    for name in ("train", "val", "model", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--cuda", action="store_true", help="on a GPU, in bf16")
    options = parser.parse_args()
    with contextlib.redirect_stdout(sys.stderr):
        seconds = train(options.train, options.val, options.model, options.out, cuda=options.cuda)
    print(json.dumps({"seconds": round(seconds, 2), "model": str(options.out)}))
    return 0


def train(train: Path, val: Path, model_folder: Path, out: Path, *, cuda: bool = False) -> float:
    """Trains; returns seconds."""
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
    from sentence_transformers.sentence_transformer.training_args import BatchSamplers

    data, dev = (json.loads(path.read_text(encoding="utf-8")) for path in (train, val))
    start = time.perf_counter()
    model = SentenceTransformer(str(model_folder), device="cuda" if cuda else "cpu")
    pairs = [(text, data["corpus"][data["relevant_docs"][key][0]]) for key, text in data["queries"].items()]
    evaluator = InformationRetrievalEvaluator(
        dev["queries"], dev["corpus"], {key: set(ids) for key, ids in dev["relevant_docs"].items()}, name="dev"
    )
    with tempfile.TemporaryDirectory() as scratch:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=scratch,
            num_train_epochs=2,
            per_device_train_batch_size=16,
            learning_rate=2e-5,
            warmup_steps=0.1,
            batch_sampler=BatchSamplers.NO_DUPLICATES,
            eval_strategy="epoch",
            save_strategy="epoch",
            load_best_model_at_end=True,
            metric_for_best_model="eval_dev_cosine_ndcg@10",
            report_to=[],
            use_cpu=not cuda,
            bf16=cuda,
        )
        trainer = SentenceTransformerTrainer(
            model=model,
            args=arguments,
            train_dataset=Dataset.from_dict({"anchor": [q for q, _ in pairs], "positive": [p for _, p in pairs]}),
            loss=MultipleNegativesRankingLoss(model),
            evaluator=evaluator,
        )
        trainer.train()
    model.save_pretrained(str(out), create_model_card=False)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
