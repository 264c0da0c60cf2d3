"""A small run of the whole pipeline over Chinese texts: a tiny model that knows their characters, real figures."""

from __future__ import annotations

import json
from pathlib import Path

from small_run import run_small
from tiny_bert import save_tiny_bert

THINGS = (
    "发票",
    "休假申请",
    "笔记本电脑",
    "停车证",
    "访客证",
    "差旅费",
    "会议室",
    "密码",
    "合同",
    "打印机",
    "消防演习",
    "培训课程",
)
TASKS = {
    "train": {
        "取消": "可以在前一天晚上之前取消，在同名的页面上操作，不需要任何人同意。",
        "审批": "由部门负责人审批，他会收到一条消息，并在两天之内答复。",
        "续期": "每年续期一次；提前两个星期发送提醒，最后一天再提醒一次。",
    },
    "test": {
        "查找": "在员工门户中您的名字下面列出，最新的排在最前，更早的在档案里按年份排列。",
        "支付": "向您的团队收取费用，月底记入预算，收费标准贴在大厅里。",
    },
}


def write_questions(folder: Path) -> list[str]:
    """Writes train.json and test.json, LlamaIndex's format; returns the overrides that read them."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, tasks in TASKS.items():
        corpus, queries, relevant = {}, {}, {}
        for at, thing in enumerate(THINGS):
            for task, text in tasks.items():
                chunk = f"{split}-{at}-{task}"
                corpus[chunk] = f"{thing}{text}"
                for number, question in enumerate((f"{task}{thing}", f"如何{task}同事的{thing}？")):
                    queries[f"{chunk}-{number}"] = question
                    relevant[f"{chunk}-{number}"] = [chunk]
        content = {"queries": queries, "corpus": corpus, "relevant_docs": relevant}
        (folder / f"{split}.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return [f"dataset.train={folder / 'train.json'}", f"dataset.test={folder / 'test.json'}"]


def save_model(folder: Path) -> Path:
    """A BERT of random weights that knows the characters."""
    texts = [*THINGS, "如何同事的？", *(task + text for tasks in TASKS.values() for task, text in tasks.items())]
    return save_tiny_bert(folder, tuple(sorted(set("".join(texts)))), layers=2, positions=64, width=32)


def run_chinese(root: Path, name: str = "run", *overrides: str) -> Path:
    """Runs it below ``root``; returns the run folder."""
    model = save_model(root / "zh-model") if not (root / "zh-model").exists() else root / "zh-model"
    return run_small(root, name, *write_questions(root / "zh"), f"model.path={model}", "model.language=zh", *overrides)
