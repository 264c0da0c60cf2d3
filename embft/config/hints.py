"""The key that is meant by a name that is none: other tools' names, other spellings, near misses."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from embft.config import GROUPS
from embft.config.keys import all_keys

_ALIASES: dict[str, str] = {
    "adapter": "training=adapter",
    "amp": "training.precision=bf16",
    "api_base": "questions.base_url=URL (or model.endpoint.base_url, evaluation.openai.base_url)",
    "api_key": "an environment variable: export OPENAI_API_KEY=..., never on the command line",
    "api_url": "questions.base_url=URL (or model.endpoint.base_url, evaluation.openai.base_url)",
    "base_model": "model=NAME, model.id=HUB_ID or model.path=FOLDER",
    "beir": "dataset=beir dataset.path=FOLDER",
    "bf16": "training.precision=bf16",
    "bm25": "evaluation.systems=[bm25,...]",
    "bs": "training.batch_size",
    "budget": "questions.max_cost_usd",
    "cache": "cache_dir",
    "checkpoint": "model.path=FOLDER",
    "checkpoint_dir": "hydra.run.dir",
    "chunk_length": "corpus.chunk_tokens",
    "chunk_size": "corpus.chunk_tokens",
    "config": "--config-name NAME or experiment=NAME",
    "cost": "questions.max_cost_usd",
    "cpu": "training.device=cpu",
    "cuda": "training.device=cuda",
    "data": "corpus.path=FILE for documents, dataset.train=FILE dataset.test=FILE for a dataset",
    "data_path": "corpus.path=FILE for documents, dataset.train=FILE dataset.test=FILE for a dataset",
    "debug": "hydra.verbose=true",
    "dev_file": "dataset.dev",
    "dir": "corpus.path",
    "docs": "corpus.path",
    "document": "corpus.path",
    "documents": "corpus.path",
    "early_stopping": "training.patience",
    "embedding_model": "model=NAME, model.id=HUB_ID or model.path=FOLDER",
    "eval_batch_size": "retrieval.batch_size",
    "eval_file": "dataset.dev",
    "eval_metric": "evaluation.primary",
    "file": "corpus.path",
    "files": "corpus.path",
    "finetune": "training.enabled",
    "folder": "corpus.path",
    "fp16": "training.precision=fp16",
    "gpu": "training.device=cuda",
    "gpus": "training.device=cuda; several: torchrun --nproc-per-node N run.py",
    "gradient_accumulation_steps": "training.mini_batch (large batches in little memory)",
    "grad_clip": "training.max_grad_norm",
    "hard_negatives": "training=hard_negatives, or training.negatives=2",
    "input": "corpus.path",
    "k": "retrieval.depth",
    "key": "an environment variable: export OPENAI_API_KEY=..., never on the command line",
    "learningrate": "training.learning_rate",
    "llm": "questions.model=NAME with questions=openai, or questions=local_llm",
    "llm_model": "questions.model=NAME with questions=openai, or questions=local_llm",
    "log": "tracking=local, wandb, trackio, mlflow or tensorboard",
    "logger": "tracking=local, wandb, trackio, mlflow or tensorboard",
    "lora": "training=lora",
    "lora_r": "training.lora_rank",
    "lr": "training.learning_rate",
    "lr_scheduler": "training.schedule",
    "lr_scheduler_type": "training.schedule",
    "margin": "training.negative_margin",
    "max_epochs": "training.epochs",
    "max_length": "model.max_seq_length",
    "max_seq_len": "model.max_seq_length",
    "max_tokens": "questions.max_tokens (or corpus.chunk_tokens, model.endpoint.max_tokens)",
    "metric": "evaluation.primary",
    "model_id": "model.id",
    "model_name": "model=NAME, model.id=HUB_ID or model.path=FOLDER",
    "model_name_or_path": "model=NAME, model.id=HUB_ID or model.path=FOLDER",
    "model_path": "model.path",
    "n_epochs": "training.epochs",
    "name": "hydra.run.dir=outputs/runs/NAME",
    "num_epochs": "training.epochs",
    "num_questions": "questions.per_chunk",
    "num_questions_per_chunk": "questions.per_chunk",
    "num_train_epochs": "training.epochs",
    "num_workers": "questions.concurrency",
    "offline": "tracking.mode=offline (Weights & Biases), HF_HUB_OFFLINE=1 (model hub)",
    "openai": "questions=openai, evaluation=openai or model=openai",
    "openai_api_key": "an environment variable: export OPENAI_API_KEY=..., never on the command line",
    "out": "hydra.run.dir",
    "out_dir": "hydra.run.dir",
    "output": "hydra.run.dir",
    "output_dir": "hydra.run.dir",
    "outputs": "hydra.run.dir",
    "overlap": "corpus.chunk_overlap",
    "path": "corpus.path",
    "pdf": "corpus.path",
    "per_device_train_batch_size": "training.batch_size",
    "quiet": "hydra.verbose=false",
    "qrels": "dataset=beir dataset.path=FOLDER",
    "query_instruction": "model.query_prompt",
    "random_seed": "seed",
    "random_state": "seed",
    "rank": "training.lora_rank",
    "report_to": "tracking=local, wandb, trackio, mlflow or tensorboard",
    "run_dir": "hydra.run.dir",
    "run_name": "hydra.run.dir=outputs/runs/NAME",
    "save_dir": "hydra.run.dir",
    "scheduler": "training.schedule",
    "steps": "training.epochs",
    "systems": "evaluation.systems",
    "temp": "training.temperature",
    "test_file": "dataset.test",
    "test_size": "dataset.test_fraction",
    "top_k": "retrieval.depth",
    "topk": "retrieval.depth",
    "train": "training=NAME for a recipe, dataset.train=FILE for train questions",
    "train_batch_size": "training.batch_size",
    "train_dataset": "dataset.train",
    "train_file": "dataset.train",
    "train_path": "dataset.train",
    "val": "dataset.dev",
    "val_file": "dataset.dev",
    "val_size": "dataset.dev_fraction",
    "validation_file": "dataset.dev",
    "verbose": "hydra.verbose=true",
    "wandb": "tracking=wandb or tracking=local",
    "wandb_entity": "tracking.entity",
    "wandb_mode": "tracking.mode",
    "wandb_project": "tracking.project",
    "warmup": "training.warmup_ratio",
    "warmup_steps": "training.warmup_ratio",
    "wd": "training.weight_decay",
    "window": "retrieval.window_tokens",
    "window_size": "retrieval.window_tokens",
}
_OFF = {"off", "false", "no", "none", "null", "0", "disabled", "offline"}
_WANT_FILES = ("dataset.train", "dataset.dev", "dataset.test")


def meant_by(name: str, value: str = "") -> str:
    """What somebody may mean who sets ``name``: ``" Did you mean '...'?"``, or an empty string where nothing is near.

    Args:
        name: An unknown key or group, as it was typed.
        value: What it was set to.
    """
    wanted = _plain(name)
    if wanted in {"wandb", "tracking.wandb", "report_to", "logger"} and value.lower() in _OFF:
        return " Did you mean 'tracking=local'?"
    if full := _same_name(wanted):
        return _did_you_mean(full)
    if sibling := _sibling(wanted, 0.8):
        return _did_you_mean([sibling])
    leaf = wanted.rpartition(".")[2]
    if meant := _ALIASES.get(wanted) or _ALIASES.get(leaf):
        if not re.fullmatch(r"[a-z0-9_.]+", meant):
            return f" Did you mean {meant}?"
        extra = " with dataset=llama_index" if meant in _WANT_FILES else ""
        return f" Did you mean '{meant}'{extra}?"
    near = _near(wanted)
    return _did_you_mean(near) if near else ""


def members(group: str) -> list[str]:
    """The keys right below a group or a part of one, without its name: for ``model`` id, path, endpoint, ..."""
    below = (name[len(group) + 1 :] for name in all_keys() if name.startswith(f"{group}."))
    return list(dict.fromkeys(name.partition(".")[0] for name in below))


def _same_name(wanted: str) -> list[str]:
    """Keys whose whole name or last word this is, the training's first."""
    if wanted in all_keys():
        return [wanted]
    leaf, prefix = wanted.rpartition(".")[2], wanted.rpartition(".")[0]
    same = [name for name in all_keys() if name.rpartition(".")[2] == leaf]
    inside = [name for name in same if prefix and name.startswith(f"{prefix}.")]
    if leaf in _ALIASES and not inside:
        return []
    return sorted(inside or same, key=lambda name: not name.startswith("training."))[:4]


def _sibling(wanted: str, cutoff: float) -> str:
    """The key of the same group that is nearest."""
    prefix, _, leaf = wanted.rpartition(".")
    siblings = {name.rpartition(".")[2]: name for name in all_keys() if prefix and name.startswith(f"{prefix}.")}
    close = difflib.get_close_matches(leaf, siblings, n=1, cutoff=cutoff)
    return siblings[close[0]] if close else ""


def _near(wanted: str) -> list[str]:
    if sibling := _sibling(wanted, 0.6):
        return [sibling]
    if members(wanted.partition(".")[0]) and "." in wanted:
        leaf = wanted.rpartition(".")[2]
    elif close := difflib.get_close_matches(wanted, [*all_keys(), *GROUPS, "experiment"], n=1, cutoff=0.75):
        return close
    else:
        leaf = wanted.rpartition(".")[2]
    leaves: dict[str, str] = {}
    for name in all_keys():
        leaves.setdefault(name.rpartition(".")[2], name)
    if close := difflib.get_close_matches(leaf, leaves, n=1, cutoff=0.75):
        return [leaves[close[0]]]
    alias = difflib.get_close_matches(leaf, _ALIASES, n=1, cutoff=0.85)
    return [_ALIASES[alias[0]]] if alias and " " not in _ALIASES[alias[0]] else []


def _plain(name: str) -> str:
    """Lower case with underscores: ``--Training.Batch-Size`` is ``training.batch_size``, ``learningRate`` likewise."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip().lstrip("-+~"))
    return words.lower().replace("-", "_").replace("/", ".")


def _did_you_mean(names: Sequence[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    last = f"{', '.join(quoted[:-1])} or {quoted[-1]}" if len(quoted) > 1 else quoted[0]
    return f" Did you mean {last}?"
