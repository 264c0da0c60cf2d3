"""What is wrong with the group ``scale``, and with the index."""

from __future__ import annotations

from collections.abc import Iterator

from embft.config.experiment import ExperimentConfig

_BLOCK = 512


def runs_local_llm(config: ExperimentConfig) -> bool:
    """Whether a local LLM writes questions or contexts, or judges."""
    dataset, makes, trains = config.dataset, config.dataset.kind == "generated", config.training.enabled
    asked = dataset.test_from or (config.questions.human and dataset.split != "article")
    writers = {config.questions.test.backend} if makes and not asked else set()
    if (makes and (trains or config.corpus.context == "llm")) or (dataset.kind == "beir" and trains):
        writers.add(config.questions.backend)
    if config.evaluation.judge == "llm":
        writers.add(config.evaluation.judging.backend)
    return "local_llm" in writers


def scale_problems(config: ExperimentConfig) -> Iterator[str]:
    """Yields one sentence for each combination that cannot work."""
    scale = config.scale
    if config.retrieval.index == "faiss" and config.retrieval.mode == "late":
        yield "retrieval.index=faiss searches one vector per window or chunk, and retrieval=late has one per token: take exact."
    if scale.kind == "local":
        return
    writes = runs_local_llm(config)
    if config.model.kind == "endpoint" and not writes:
        yield f"scale={scale.kind} has other machines run the model, and model=openai asks an API: leave one of them out."
    if config.retrieval.mode == "late" and not writes:
        yield (
            f"scale={scale.kind} has other machines embed windows or chunks, and retrieval=late keeps a vector of each token, "
            "which this machine works out: leave one of them out."
        )
    if scale.shard % _BLOCK:
        yield f"scale.shard={scale.shard} must be a multiple of {_BLOCK}, the texts that are embedded in one go."
    if scale.kind == "ray" and scale.address == "local":
        yield (
            "scale.address=local would start a cluster here that listens to the network: start one by `ray start --head` and "
            "leave scale.address at auto."
        )
    if scale.kind == "slurm" and scale.gpus != int(scale.gpus):
        yield f"scale.gpus={scale.gpus:g}: Slurm gives whole GPUs alone."
