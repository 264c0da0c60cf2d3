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
        if scale.train:
            yield "scale.train=true has other machines train, and scale=local has none: add scale=slurm or scale=ray."
        return
    writes = runs_local_llm(config)
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
    if scale.train and config.training.enabled:
        yield from _train_problems(config)


def _train_problems(config: ExperimentConfig) -> Iterator[str]:
    scale, training = config.scale, config.training
    processes = scale.train_nodes * scale.train_processes
    if training.device == "mps":
        yield "training.device=mps is a machine of Apple's alone, and scale.train=true trains elsewhere: leave one of them out."
    if training.device == "cuda" and not scale.gpus:
        yield "scale.train=true with training.device=cuda wants GPUs, and scale.gpus=0 asks for none: add scale.gpus=1."
    if training.part != "adapter" and training.batch_size < processes:
        yield (
            f"training.batch_size={training.batch_size} chunks cannot be dealt out to {processes} processes: raise it, or lower "
            "scale.train_processes or scale.train_nodes."
        )
    if scale.kind == "slurm" and scale.executor == "local" and scale.train_nodes > 1:
        yield f"scale.train_nodes={scale.train_nodes}: scale.executor=local has this machine alone: take 1."
