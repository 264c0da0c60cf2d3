"""When the keys are read that are about large corpora; rows as those of `embft.config.usage`."""

from __future__ import annotations

from collections.abc import Sequence

from embft.config.condition import ALWAYS, Condition
from embft.config.scale_problems import runs_local_llm

_elsewhere = Condition("scale=ray or slurm", lambda c: c.scale.kind != "local", "scale=ray or scale=slurm")
_local_llm = Condition(
    "a local LLM that writes or judges",
    runs_local_llm,
    "questions=local_llm, questions.test.backend=local_llm or evaluation.judging.backend=local_llm",
)
_ray = Condition("scale=ray", lambda c: c.scale.kind == "ray", "scale=ray")
_slurm = Condition("scale=slurm", lambda c: c.scale.kind == "slurm", "scale=slurm")
_trains = Condition("training", lambda c: c.training.enabled, "a recipe: training=default, for example")
_trained_there = Condition("scale.train=true", lambda c: c.scale.train, "scale.train=true")

_by_vectors = Condition(
    "retrieval.mode=windows or truncate", lambda c: c.retrieval.mode != "late", "retrieval=windows or truncate"
)
_faiss = Condition("retrieval.index=faiss", lambda c: c.retrieval.index == "faiss", "retrieval.index=faiss")
_hnsw = Condition("retrieval.faiss.kind=hnsw", lambda c: c.retrieval.faiss.kind == "hnsw", "retrieval.faiss.kind=hnsw")
_ivf = Condition(
    "retrieval.faiss.kind=ivf_pq", lambda c: c.retrieval.faiss.kind == "ivf_pq", "retrieval.faiss.kind=ivf_pq"
)
_codes = Condition(
    "retrieval.faiss.kind=ivf_pq, int8 or binary",
    lambda c: c.retrieval.faiss.kind != "hnsw",
    "retrieval.faiss.kind=ivf_pq, int8 or binary",
)

SCALE_ROWS: Sequence[tuple[str, tuple[Condition, ...]]] = (
    ("retrieval.index", (_by_vectors,)),
    ("retrieval.faiss.kind", (_by_vectors, _faiss)),
    ("retrieval.faiss.rescore", (_by_vectors, _faiss, _codes)),
    ("retrieval.faiss.links retrieval.faiss.build_effort retrieval.faiss.effort", (_by_vectors, _faiss, _hnsw)),
    ("retrieval.faiss.lists retrieval.faiss.probes retrieval.faiss.code_bytes", (_by_vectors, _faiss, _ivf)),
    ("scale.name scale.kind", ALWAYS),
    ("scale.fewest_requests scale.shard_requests", (_elsewhere, _local_llm)),
    ("scale.fewest scale.shard scale.fewest_scores scale.shard_questions", (_elsewhere,)),
    ("scale.folder scale.cpus scale.gpus scale.silence_seconds", (_elsewhere,)),
    ("scale.address", (_ray,)),
    ("scale.train", (_trains,)),
    ("scale.train_processes", (_elsewhere, _trains, _trained_there)),
    ("scale.train_nodes", (_slurm, _trains, _trained_there)),
    ("scale.executor scale.workers scale.minutes scale.memory_gb scale.partition scale.sbatch", (_slurm,)),
)
