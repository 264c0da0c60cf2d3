"""Embedding texts: `SentenceTransformer.encode` with its default settings against embft, in turns.

    EMBFT_NVIDIA_DATA=DIR python benchmarks/bench_encode.py [--rounds 5]

The windows of the article's train chunks, and the chunks themselves cut at 256 tokens. embft with ``retrieval.precision`` fp32
(its default) and auto; how far auto moves vectors and the ranking of the article's test questions is in the table too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from bench_training import base_model
from flops import Transformer
from report import machine, write_result

from embft.dataset.formats import read_llama_index
from embft.evaluation.metrics import per_question, with_hit_rates
from embft.models.encoder import Computing, Encoder
from embft.models.loading import load_model
from embft.retrieval.scoring import dense_scorers, rank, unit
from embft.retrieval.windows import cut_windows, whole_chunks


def main() -> int:
    """Times them and writes results/encode.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("EMBFT_NVIDIA_DATA"))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.data is None or not (Path(options.data) / "val_dataset.json").is_file():
        parser.error("--data, or EMBFT_NVIDIA_DATA, must name the folder of train_dataset.json and val_dataset.json")
    test = read_llama_index(Path(options.data) / "val_dataset.json")
    corpus = dict(sorted(test.corpus.items()))
    folder = base_model()
    theirs = load_model(folder, "cpu")
    ours = {
        precision: Encoder(folder, "base", computing=Computing(precision=precision)) for precision in ("fp32", "auto")
    }
    kinds = {
        "windows of 96 tokens": cut_windows(corpus, ours["fp32"].token_spans, 96, 24),
        "chunks cut at 256 tokens": whole_chunks(corpus),
    }
    shape = Transformer.of(folder)
    lines = [
        "# Embedding texts",
        "",
        f"all-MiniLM-L6-v2, {machine()}, medians of {options.rounds} in turns. embft's `auto` is "
        f"{ours['auto'].precision} here.",
        "",
        "| texts | | seconds | times as fast | GFLOP/s | least cosine to fp32 | hit rate@5 | nDCG@10 |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for kind, passages in kinds.items():
        texts = list(passages.texts)
        lengths = [min(256, len(ids)) for ids in theirs.tokenizer(texts, truncation=False, verbose=False)["input_ids"]]
        work = shape.layers * sum(shape.forward(length) for length in lengths)
        systems = {"SentenceTransformer.encode": lambda texts: theirs.encode(texts, show_progress_bar=False)}
        systems |= {f"embft, {name}": encoder.encode_passages for name, encoder in ours.items()}
        seconds: dict[str, list[float]] = {name: [] for name in systems}
        vectors = {}
        for _ in range(options.rounds):
            for name, encode in systems.items():
                started = time.perf_counter()
                vectors[name] = np.asarray(encode(texts))
                seconds[name].append(time.perf_counter() - started)
        exact = vectors["SentenceTransformer.encode"]
        for name, found in vectors.items():
            encoder = ours["auto" if name.endswith("auto") else "fp32"]
            scorer = dense_scorers(encoder.encode_questions(list(test.queries.values())), found, passages)["cosine"]
            ranking = rank(scorer, list(test.queries), list(corpus), system="base", score_name="cosine", depth=100)
            means = {
                key: values.mean()
                for key, values in with_hit_rates(per_question(ranking, test.relevant_docs, list(test.queries))).items()
            }
            median = statistics.median(seconds[name])
            times = statistics.median(
                a / b for a, b in zip(seconds["SentenceTransformer.encode"], seconds[name], strict=True)
            )
            lines.append(
                f"| {len(texts)} {kind} | {name} | {median:.2f} | {times:.2f} | {work / median / 1e9:.0f} | "
                f"{(unit(found) * unit(exact)).sum(axis=1).min():.5f} | {means['hit_rate@5']:.4f} | {means['ndcg@10']:.4f} |"
            )
            print(lines[-1], flush=True)
    write_result("encode", "\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
