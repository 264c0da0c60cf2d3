"""What questions are worth training on: the article's by gpt-3.5, ours without an LLM, the article's less what filters take.

    EMBFT_NVIDIA_DATA=DIR python benchmarks/bench_questions_training.py [--only gpt35 extractive]

DIR has the article's train_dataset.json and val_dataset.json. Every variant has the same train chunks and is tested on the
same 182 published questions, all by the default recipe of ``run.py``. Figures are of the tuned model; differences are paired,
question by question, with 95% intervals from a bootstrap over chunks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from embft.steps.realism import best_ranks
from report import write_result

from embft.config import FiltersConfig
from embft.dataset.formats import read_llama_index, write_llama_index
from embft.evaluation.dependence import Dependence
from embft.evaluation.significance import compare
from embft.questions.extractive import extractive
from embft.questions.filters import filter_questions
from embft.records import Chunk, Question, RetrievalDataset

ROOT = Path(__file__).resolve().parents[1]
METRIC = "ndcg@10"


def main() -> int:
    """Makes the variants, trains on each, prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("EMBFT_NVIDIA_DATA"))
    parser.add_argument("--work", type=Path, default=Path("outputs/benchmarks/questions_training"))
    parser.add_argument("--only", nargs="+", help="names of variants")
    options = parser.parse_args()
    if options.data is None or not (Path(options.data) / "train_dataset.json").is_file():
        parser.error("--data, or EMBFT_NVIDIA_DATA, must name the folder of train_dataset.json and val_dataset.json")
    options.data = Path(options.data)
    train = read_llama_index(options.data / "train_dataset.json")
    variants = {name: make for name, make in VARIANTS.items() if not options.only or name in options.only}
    scores: dict[str, dict[str, float]] = {}
    relevant: dict[str, list[str]] = {}
    lines = [
        "# What questions are worth training on",
        "",
        "The article's 97 train chunks with other questions about them; tested on its 182 published questions.",
        "",
        f"| train questions | kept | {METRIC} of tuned | against gpt35 | 95% | p |",
        "| --- | ---: | ---: | ---: | --- | ---: |",
    ]
    for name, make in variants.items():
        part = make(train)
        folder = options.work.absolute() / "".join(letter if letter.isalnum() else "_" for letter in name)
        folder.mkdir(parents=True, exist_ok=True)
        write_llama_index(folder / "train.json", part)
        rows = ranked(folder, options.data.absolute(), options.work.absolute() / "cache")
        relevant = {row["question_id"]: row["relevant"] for row in rows}
        if "base" not in scores:
            scores["base"] = {row["question_id"]: row["systems"]["base"][METRIC] for row in rows}
        scores[name] = {row["question_id"]: row["systems"]["tuned"][METRIC] for row in rows}
        against = scores.get("gpt35") if name != "gpt35" else None
        lines.append(row(name, len(part.queries), scores[name], against, relevant))
        print(lines[-1], flush=True)
    if "gpt35" in scores:
        lines.append(row("none: base model", 0, scores["base"], scores["gpt35"], relevant))
    write_result("questions_training", "\n".join(lines))
    return 0


def row(name: str, kept: int, own: dict[str, float], against: dict[str, float] | None, relevant: dict[str, Any]) -> str:
    """A line of the table."""
    mean, said = np.mean(list(own.values())), "| | |"
    if against is not None:
        ids = list(own)
        system, baseline = (np.array([one[key] for key in ids]) for one in (own, against))
        found = compare(system, baseline, Dependence.of(ids, relevant))
        low, high = found.ci95
        said = f"{found.delta:+.3f} | [{low:+.3f}, {high:+.3f}] | {found.p_value:.3f}"
    return f"| {name} | {kept} | {mean:.3f} | {said} |"


def ranked(folder: Path, data: Path, cache: Path) -> list[dict[str, Any]]:
    """Rows of per_query.jsonl of a run; a run that is there is not run again."""
    result = folder / "run" / "per_query.jsonl"
    if not result.is_file():
        command = (
            "run.py", "dataset=llama_index", f"dataset.train={folder / 'train.json'}",
            f"dataset.test={data / 'val_dataset.json'}", "tracking=local", f"cache_dir={cache}",
            f"hydra.run.dir={folder / 'run'}",
        )  # fmt: skip
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return [json.loads(line) for line in result.read_text(encoding="utf-8").splitlines()]


def filtered(**changes: Any) -> Callable[[RetrievalDataset], RetrievalDataset]:
    """The article's questions less what these filters take."""

    def make(part: RetrievalDataset) -> RetrievalDataset:
        questions = [Question(key, text, part.relevant_docs[key], "gpt35") for key, text in part.queries.items()]

        def ranks(asked: Any) -> list[int | None]:
            return best_ranks([one.text for one in asked], [one.chunk_ids for one in asked], part.corpus)

        kept, _ = filter_questions(questions, chunks_of(part), FiltersConfig(**changes), "auto", ranks)
        return with_questions(part, kept)

    return make


def ours(part: RetrievalDataset) -> RetrievalDataset:
    """Two extractive questions a chunk."""
    return with_questions(part, extractive(chunks_of(part), 2)[0])


def both(part: RetrievalDataset) -> RetrievalDataset:
    """The article's questions and ours."""
    made = ours(part)
    return RetrievalDataset({**part.queries, **made.queries}, part.corpus, {**part.relevant_docs, **made.relevant_docs})


def chunks_of(part: RetrievalDataset) -> list[Chunk]:
    """As the generators take them."""
    return [Chunk(key, text, "10-K", None, 0, len(text)) for key, text in part.corpus.items()]


def with_questions(part: RetrievalDataset, questions: list[Question]) -> RetrievalDataset:
    """The same chunks, other questions."""
    return RetrievalDataset(
        {one.id: one.text for one in questions}, part.corpus, {one.id: one.chunk_ids for one in questions}
    )


VARIANTS: dict[str, Callable[[RetrievalDataset], RetrievalDataset]] = {
    "gpt35": lambda part: part,
    "extractive": ours,
    "gpt35 and extractive": both,
    "gpt35, passage_dependent": filtered(passage_dependent=True),
    "gpt35, copied_share 0.3": filtered(copied_share=0.3),
    "gpt35, near_duplicates 75": filtered(near_duplicates=75.0),
    "gpt35, round_trip 1": filtered(round_trip=1),
}


if __name__ == "__main__":
    sys.exit(main())
