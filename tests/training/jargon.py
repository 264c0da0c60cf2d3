"""A small real problem: people say "brumvak" where the documents say "invoice".

No word of the jargon is in a passage, and the passages of train and test are about other tasks, so only a model that has
learned what the jargon means finds the right one.
"""

from __future__ import annotations

import json
from pathlib import Path

JARGON = {
    "brumvak": "invoice", "telmor": "holiday request", "quisp": "laptop", "oddle": "parking permit", "zanter": "visitor badge",
    "frelk": "travel expense", "mibbo": "meeting room", "skarn": "password", "plivet": "contract", "dorgu": "printer",
    "yaffle": "fire drill", "crotchel": "training course",
}  # fmt: skip
TASKS = {
    "train": {
        "cancel": "can be cancelled until the evening before, on the page of the same name.",
        "approve": "is approved by the head of the department, who gets a message about it.",
        "renew": "is renewed once a year; a reminder is sent two weeks earlier.",
        "report a problem with": "does not work as it should? Write to the help desk and say where you are.",
    },
    "test": {
        "find": "is listed under your name in the staff portal, newest first.",
        "pay for": "costs your team a fee, which is booked to its budget at the end of the month.",
    },
}


def write_jargon(folder: Path) -> list[str]:
    """Writes train.json and test.json, LlamaIndex's format; returns the overrides that read them."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, tasks in TASKS.items():
        corpus, queries, relevant = {}, {}, {}
        for word, thing in JARGON.items():
            for task, text in tasks.items():
                chunk = f"{thing}-{task}"
                corpus[chunk] = f"Your {thing} {text}"
                for number, question in enumerate((f"{task} {word}", f"how do I {task} my {word}?")):
                    queries[f"{chunk}-{number}"] = question
                    relevant[f"{chunk}-{number}"] = [chunk]
        content = {"queries": queries, "corpus": corpus, "relevant_docs": relevant}
        (folder / f"{split}.json").write_text(json.dumps(content), encoding="utf-8")
    return [
        "dataset=llama_index",
        f"dataset.train={folder / 'train.json'}",
        f"dataset.test={folder / 'test.json'}",
        # The passages of a task are alike on purpose.
        "dataset.leaks=allow",
    ]
