"""What is for large corpora: an index that searches them faster than exactly, and other machines that embed, write and rank."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING

from embft.config.fields import choice, number


@dataclass
class FaissConfig:
    """An approximate index."""

    kind: str = choice("hnsw", "hnsw", "ivf_pq", "int8", "binary")
    """hnsw: a graph, quick over many vectors, takes more memory than they do; ivf_pq: cells and codes, small; int8: a byte per
    number, all searched; binary: a bit per number, all searched."""
    rescore: int = number(4, 1, 1000)
    """Candidates, times retrieval.depth, that the exact vectors put in order; hnsw, which has these, needs none."""
    links: int = number(32, 4, 512)
    """hnsw: neighbours of a vector in the graph."""
    build_effort: int = number(200, 8, 10_000)
    """hnsw: candidates looked at for each vector that is added (efConstruction)."""
    effort: int = number(256, 1, 100_000)
    """hnsw: candidates looked at for each question (efSearch), as many as are asked for at least."""
    lists: int | None = number(None, 1, 10_000_000)
    """ivf_pq: cells; null: four times the square root of the number of vectors."""
    probes: int = number(64, 1, 1_000_000)
    """ivf_pq: cells looked into for each question."""
    code_bytes: int | None = number(None, 1, 65536)
    """ivf_pq: bytes of a vector's code, a divisor of its length; null: a quarter of that."""


@dataclass
class ScaleConfig:
    """Which machines embed a large corpus, run a local LLM, rank, and train."""

    name: str = MISSING
    """What reports call the choice: the name of its file."""
    kind: str = choice("local", "local", "ray", "slurm")
    """local: this machine; ray: the nodes of a Ray cluster; slurm: array jobs of Slurm, by submitit."""
    fewest: int = number(50_000, 1)
    """Passages from which other machines are asked; fewer are embedded here."""
    shard: int = number(4096, 512, 1 << 20)
    """Passages in a shard, a multiple of 512: what a node does at a time, and what is lost with it."""
    fewest_requests: int = number(500, 1)
    """Requests to a local LLM from which other machines are asked; fewer are answered here."""
    shard_requests: int = number(64, 1, 1 << 20)
    """Requests to a local LLM in a shard: what a node does at a time, and what is lost with it."""
    fewest_scores: int = number(1_000_000_000, 1)
    """Pairs of a question and a chunk from which other machines rank questions; fewer are scored here."""
    shard_questions: int = number(512, 1, 1 << 20)
    """Questions that are ranked in a shard: what a node does at a time, and what is lost with it."""
    folder: str | None = None
    """Folder that all machines see under the same name; null: shards in cache_dir."""
    cpus: int = number(4, 1, 1024)
    """Processors for each worker."""
    gpus: float = number(0.0, 0.0, 64.0)
    """GPUs for each worker; on Ray also a part of one, such as 0.5."""
    address: str = "auto"
    """Of a Ray cluster that is there: its head's address, ray://HOST:10001, or auto: the one that this machine is a node of."""
    executor: str = choice("slurm", "slurm", "local")
    """slurm: the cluster; local: processes of this machine, all at once, to try it out."""
    workers: int = number(16, 1, 10_000)
    """Jobs of the Slurm array."""
    minutes: int = number(240, 1, 1_000_000)
    """Time limit of a Slurm job; what it did not get done is submitted again."""
    memory_gb: int = number(16, 1, 100_000)
    """Memory of a Slurm job."""
    partition: str | None = None
    """Slurm partition; null: the cluster's own default."""
    sbatch: list[str] = field(default_factory=list)
    """Further options of sbatch: ``[account=team,constraint=a100]``."""
    silence_seconds: float = number(60.0, above=0.0)
    """Without a sign of life for so long a worker counts as dead, and others take over its work."""
    train: bool = False
    """Have the weights trained there too, by one job; if it is killed or its time is up, another one continues."""
    train_processes: int = number(1, 1, 64)
    """Processes of that job on each node, each with scale.cpus and scale.gpus: as many as the node has GPUs."""
    train_nodes: int = number(1, 1, 1024)
    """Slurm nodes of that job."""
