"""The file of a group that is meant by a name that is none: a hub id, a folder, a document, ``off``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from embft.config import GROUPS
from embft.errors import nearest

GROUP_NAMES = (*GROUPS, "experiment")
CONFIGS = Path(__file__).parents[2] / "configs"
_NOTHING = {"null", "none", "off", "false", "no", "disabled", "0"}
_NOTHING_OF = {
    "tracking": " Did you mean 'local'? It leaves Weights & Biases out.",
    "training": " Did you mean 'none'? With evaluation=base_only nothing is trained.",
    "experiment": " Leave it out.",
}
_PATH_OF = {
    "corpus": "corpus.path={value}",
    "dataset": "dataset=llama_index dataset.train={value} dataset.test=FILE, or dataset=beir dataset.path=FOLDER",
    "questions": "questions.human={value}",
    "model": "model.path={value}",
    "training": "training.guide={value}, or a recipe",
    "experiment": "--config-dir FOLDER experiment=NAME",
}


def choice_problem(group: str, value: str, options: Sequence[str] | None) -> str:
    """What is wrong with the choice of a file of a group; empty if nothing is.

    Args:
        options: The files that there are; None where they are unknown.
    """
    known = [name for name in options or () if name != "schema"]
    if group == "experiment" and value == "null":
        return ""
    if options is not None and value.lower() in _NOTHING and value not in known:
        hint = _NOTHING_OF.get(group, f" The default is {group}={_default(group)}.")
        return f"{group}={value} is unknown.{hint}{_listed(group, known)}"
    if options is None or value in known or "${" in value:
        return ""
    name = value.removesuffix(".yaml")
    if name != value and name in known:
        return f"{group}={value} is unknown. Did you mean '{name}'? The ending is left out."
    return f"{group}={value} is unknown.{_meant(group, value, known)}{_listed(group, known)}"


def _meant(group: str, value: str, known: Sequence[str]) -> str:
    if value == "schema":
        return " It is what the files of the group are checked against."
    if group == "model" and (hint := _model(value)):
        return hint
    looks_like_path = (
        "/" in value or "\\" in value or re.search(r"\.\w{1,6}$", value) or Path(value).expanduser().exists()
    )
    if looks_like_path and group in _PATH_OF:
        return f" Did you mean {_PATH_OF[group].format(value=value)}?"
    hint = nearest(value, known) or nearest(value.lower().replace("-", "_"), known)
    if not hint and group == "questions" and re.match(r"(gpt|claude|llama|qwen|mistral|o\d)", value.lower()):
        return f" Did you mean questions=openai questions.model={value}?"
    return hint


def _model(value: str) -> str:
    """Hub ids, whole or by their last part, and folders."""
    last = value.rpartition("/")[2].lower()
    for name, hub_id in _hub_ids().items():
        if last == hub_id.rpartition("/")[2].lower():
            return f" Did you mean 'model={name}'? That is {hub_id}. Any other model of the hub: model.id=HUB_ID."
    if Path(value).expanduser().is_dir() or value.startswith((".", "/", "~")):
        return f" Did you mean model.path={value}?"
    if value.count("/") == 1:
        return (
            f" Did you mean model.id={value}? Choose the model=NAME whose prompts and language suit it, or set "
            "model.query_prompt, model.document_prompt and model.language too."
        )
    return ""


@cache
def _hub_ids() -> dict[str, str]:
    """File of configs/model to hub id."""
    ids = {}
    for file in sorted((CONFIGS / "model").glob("*.yaml")):
        if match := re.search(r"^id: *(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE):
            ids[file.stem] = match[1]
    return ids


@cache
def _default(group: str) -> str:
    """What configs/config.yaml chooses."""
    main = CONFIGS / "config.yaml"
    match = re.search(
        rf"^  - {group}: *(\S+)", main.read_text(encoding="utf-8") if main.is_file() else "", re.MULTILINE
    )
    return match[1] if match else "NAME"


def _listed(group: str, known: Sequence[str]) -> str:
    return f" Choices: {', '.join(known)}." if known else ""
