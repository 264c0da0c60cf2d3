"""A small run of the whole pipeline, for tests of what is done with a run folder. Its model is tiny, its figures are real."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
THINGS = (
    "invoice", "holiday request", "laptop", "parking permit", "visitor badge", "travel expense", "meeting room", "password",
    "contract", "printer", "fire drill", "training course",
)  # fmt: skip
TASKS = {
    "train": {
        "cancel": "can be cancelled until the evening before, on the page of the same name. Nobody has to agree.",
        "approve": "is approved by the head of the department, who gets a message about it and answers within two days.",
        "renew": "is renewed once a year; a reminder is sent two weeks earlier, and again on the last day.",
    },
    "test": {
        "find": "is listed under your name in the staff portal, newest first. Older ones are in the archive, sorted by year.",
        "pay for": "costs your team a fee, which is booked to its budget at the end of the month. The rates hang in the hall.",
    },
}


def write_questions(folder: Path) -> list[str]:
    """Writes train.json and test.json, LlamaIndex's format; returns the overrides that read them."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, tasks in TASKS.items():
        corpus, queries, relevant = {}, {}, {}
        for thing in THINGS:
            for task, text in tasks.items():
                chunk = f"{thing}-{task}"
                corpus[chunk] = f"Your {thing} {text}"
                for number, question in enumerate((f"{task} {thing}", f"how do I {task} the {thing} of my colleague?")):
                    queries[f"{chunk}-{number}"] = question
                    relevant[f"{chunk}-{number}"] = [chunk]
        content = {"queries": queries, "corpus": corpus, "relevant_docs": relevant}
        (folder / f"{split}.json").write_text(json.dumps(content), encoding="utf-8")
    return [
        "dataset=llama_index", f"dataset.train={folder / 'train.json'}", f"dataset.test={folder / 'test.json'}",
        "dataset.leaks=allow",
    ]  # fmt: skip


def save_model(folder: Path, layers: int = 2, width: int = 32) -> Path:
    """A BERT of random weights that knows the words of the questions; a sentence-transformers folder."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    if folder.is_dir():
        return folder
    torch.manual_seed(3)
    texts = [*THINGS, "your how do i the of my colleague ? . , ;"]
    texts += [f"{task} {text}" for tasks in TASKS.values() for task, text in tasks.items()]
    words = sorted({word for text in texts for word in re.findall(r"[a-z]+|[^a-z ]", text.lower())})
    plain = folder.with_name(f"{folder.name}-bert")
    plain.mkdir(parents=True)
    (plain / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]) + "\n")
    BertTokenizerFast(str(plain / "vocab.txt")).save_pretrained(plain)
    sizes = {"hidden_size": width, "num_attention_heads": 4, "intermediate_size": 64, "num_hidden_layers": layers}
    BertModel(BertConfig(vocab_size=len(words) + 5, max_position_embeddings=64, **sizes)).save_pretrained(plain)
    modules = [Transformer(str(plain)), Pooling(width), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder), create_model_card=False)
    return folder


def run_small(root: Path, name: str = "run", *overrides: str) -> Path:
    """Runs it below ``root``; returns the run folder. A second run there has the first one's cache."""
    from hydra import compose, initialize_config_dir

    from embft.config import register
    from embft.config.command_line import as_config
    from embft.pipeline import run_experiment

    register()
    settings = [
        "tracking=local", *write_questions(root / "data"), f"cache_dir={root / 'cache'}", "evaluation.resamples=500",
        "training.epochs=1", "training.learning_rate=1e-3", f"model.path={save_model(root / 'tiny')}",
        "retrieval.window_tokens=16", "retrieval.window_overlap=4", "retrieval.bm25_window=8",
        *overrides,
    ]  # fmt: skip
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        config = as_config(compose("config", overrides=settings))
    run_experiment(config, root / name)
    return root / name
