"""The schema of the configuration: one dataclass per group of ``configs/``, each field with its default and its limits.

Hydra checks names and types against it. `problems` checks values and combinations, and reports all of them at once.
They are plain dataclasses: a stage package takes its own group's object or plain arguments, and never sees OmegaConf.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from embft.errors import nearest


def _choice(default: Any, *choices: str) -> Any:
    return field(default=default, metadata={"choices": choices})


def _number(default: Any, low: float | None = None, high: float | None = None, *, above: float | None = None) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "above": above})


@dataclass
class CorpusConfig:
    """Which documents, and how they become chunks."""

    name: str = MISSING
    kind: str = _choice("files", "files", "nvidia_10k", "python_reference")
    path: str | None = None
    """A file, folder or glob. For nvidia_10k: a local copy of the PDF."""
    url: str | None = None
    sha256: str | None = None
    pdf_reader: str = _choice("pypdfium2", "pypdfium2", "pypdf")
    chunk_tokens: int = _number(256, 16, 8192)
    """Upper bound of a chunk in model-independent tokens (see embft.corpus.tokens)."""
    chunk_overlap: int = _number(0, 0, 4096)
    drop_boilerplate: bool = True
    """Leave out lines that stand at the edge of most pages of a document."""
    on_error: str = _choice("stop", "stop", "skip")
    """What a broken, encrypted, scanned or empty file does: stop the run, or be named and skipped."""
    bundled_questions: str | None = None
    """``bundled:NAME``: human questions that embft carries for this corpus."""


@dataclass
class FiltersConfig:
    """Which questions are thrown out, each filter on its own; null or false leaves a filter out."""

    boilerplate: bool = False
    """Chunks that nobody asks about: tables of contents, signatures, indexes. No question is bought for them."""
    fewest_words: int | None = None
    """Shorter questions go; a Chinese character counts as half a word."""
    most_words: int | None = None
    language: bool = False
    """Questions in another script than their chunk (or than ``questions.language``)."""
    passage_dependent: bool = False
    """"According to the document", "in this section", "该文": nobody asks so who has not seen the passage."""
    copied_share: float | None = _number(None, 0.0, 1.0)
    """Questions that have at least this share of their words in one unbroken run of the passage."""
    near_duplicates: float | None = _number(None, 50.0, 100.0)
    """Similarity in percent (rapidfuzz token_sort_ratio) from which the later of two questions goes."""
    round_trip: int | None = _number(None, 1, 1000)
    """BM25 must find a relevant chunk among its first so many, or the question is answered better elsewhere."""


@dataclass
class QuestionsConfig:
    """Who writes the questions."""

    name: str = MISSING
    backend: str = _choice("extractive", "extractive", "openai", "openai_batch", "local_llm")
    per_chunk: int = _number(2, 0, 20)
    pairs: int = _number(0, 0, 1_000_000)
    """Questions about two related chunks at once, both relevant; LLM backends only."""
    human: str | None = None
    """JSON Lines of people's own questions, or ``bundled:NAME``."""
    language: str = _choice("auto", "auto", "en", "zh")
    filters: FiltersConfig = field(default_factory=FiltersConfig)
    model: str = "gpt-4o-mini"
    """Name of the LLM at the endpoint; for local_llm a GGUF file, or null for the packaged SmolLM2."""
    base_url: str | None = None
    api_key_env: str | None = "OPENAI_API_KEY"
    """Name of the environment variable that holds the key; null for an endpoint without one."""
    prompt: str = "article"
    """Name of a prompt in embft/questions/prompts, or the path of a file."""
    types: list[str] = field(default_factory=list)
    """Kinds of question, dealt out in turn to a prompt with ``{types}``: names in prompts/types, or paths of files."""
    persona: str | None = None
    """Who asks, for a prompt with ``{persona}``: "a nurse on a night shift"."""
    structured: str = _choice("auto", "auto", "never")
    """auto: ask for JSON by a schema, and without one where the server does not know them."""
    temperature: float = _number(0.0, 0.0, 2.0)
    reply_tokens: int = _number(512, 16, 32768)
    """Longest reply."""
    dry_run: bool = False
    """Print chunks, tokens, price and time, ask nothing, and stop."""
    max_cost_usd: float | None = _number(None, 0.0)
    """Stop before this set of questions costs more, what earlier runs paid for it included."""
    max_tokens: int | None = _number(None, 0)
    """Stop before this set of questions takes more tokens, prompts and replies together."""
    prices: str | None = None
    """A price table of your own, in the form of embft/questions/prices.yaml."""
    concurrency: int = _number(8, 1, 512)
    requests_per_minute: int | None = _number(None, 1)
    timeout_seconds: float = _number(60.0, above=0.0)
    max_retries: int = _number(5, 0, 100)
    poll_seconds: float = _number(30.0, above=0.0)
    """openai_batch: how often the batch is looked after."""


@dataclass
class DatasetConfig:
    """How questions become train, dev and test."""

    name: str = MISSING
    kind: str = _choice("generated", "generated", "llama_index", "beir")
    train: str | None = None
    dev: str | None = None
    test: str | None = None
    path: str | None = None
    """Folder of a BEIR data set."""
    split: str = _choice("blocks", "blocks", "documents", "article")
    block_pages: int = _number(4, 1, 1000)
    """Neighbouring pages (chunks, where a format has no pages) that stay in one split."""
    train_pages: int = _number(90, 1, 1_000_000)
    """split=article: pages 1..train_pages train, the rest test."""
    dev_fraction: float = _number(0.15, 0.0, 0.5)
    test_fraction: float = _number(0.35, 0.0, 0.9)
    candidates: str = _choice("all", "all", "split")
    """What dev and test questions search: every chunk, or the chunks of their split."""
    allow_leaks: bool = False
    """Go on although train questions are about test chunks or near-copies of them."""


@dataclass
class ModelConfig:
    """An open embedding model and the prompts it wants."""

    name: str = MISSING
    id: str | None = None
    """Model id on the hub."""
    revision: str | None = None
    path: str | None = None
    """Local folder; used before anything else."""
    package: str | None = None
    """Python package that carries the weights; used where there is no path."""
    package_sha256: str | None = None
    """Of the package's model.safetensors; checked whenever it is used."""
    query_prompt: str | None = None
    """Put before every question; null takes the model's own, if it has one."""
    document_prompt: str | None = None
    max_seq_length: int | None = None
    """Tokens a text is cut at; null takes the model's own."""
    language: str = _choice("en", "en", "zh", "multi")


@dataclass
class TrainingConfig:
    """The recipe of the fine-tune."""

    name: str = MISSING
    enabled: bool = True
    epochs: int = _number(1, 1, 1000)
    batch_size: int = _number(16, 2, 65536)
    """Chunks a step; each brings all its questions."""
    learning_rate: float = _number(1e-4, above=0.0)
    warmup_ratio: float = _number(0.1, 0.0, 1.0)
    schedule: str = _choice("linear", "linear", "cosine", "constant_with_warmup")
    weight_decay: float = _number(0.01, 0.0)
    max_grad_norm: float = _number(1.0, above=0.0)
    temperature: float = _number(0.05, above=0.0)
    """Softmax temperature of the loss; sentence-transformers calls its inverse scale (20)."""
    dropout: float = _number(0.0, 0.0, 0.9)
    train_embeddings: bool = False
    """Train the token embeddings too: half of a small model's weights, and no gain was seen from it."""
    frozen_layers: int = _number(0, 0, 200)
    """Transformer layers, from the bottom, that stay as they are; each saves two thirds of its cost."""
    hide_source: float = _number(0.9, 0.0, 1.0)
    """Share of the questions cut out of a passage for which their sentence is taken out of it in training."""
    precision: str = _choice("auto", "auto", "fp32", "bf16", "fp16")
    """auto: bf16 where the hardware multiplies it natively, else fp32."""
    attention: str = _choice("auto", "auto", "eager", "sdpa", "flash_attention_2")
    device: str = _choice("auto", "auto", "cpu", "cuda", "mps")
    gradient_checkpointing: bool = False
    select_by: str = _choice("ndcg@10", "ndcg@10", "mrr@10", "map@100", "hit_rate@5", "hit_rate@1")
    """The dev metric that picks the epoch."""
    dev_chunks: int = _number(2000, 10)
    """Chunks searched after each epoch: the relevant ones and random others. What is reported searches all."""
    merge: bool = False
    """Mix the tuned weights with the base ones: the mix closest to base that dev cannot tell from the best."""
    checkpoint_steps: int = _number(0, 0)
    """Also save a checkpoint to resume from every so many steps; 0: at the end of each epoch only."""


@dataclass
class RetrievalConfig:
    """How chunks are searched."""

    name: str = MISSING
    mode: str = _choice("windows", "windows", "truncate")
    window_tokens: int = _number(96, 16, 8192)
    """Tokens of the embedding model in a window."""
    window_overlap: int = _number(24, 0, 4096)
    """Tokens that a window shares with the one before it: a sentence cut in two still stands whole in one of them."""
    depth: int = _number(100, 10, 100_000)
    """Chunks kept per question."""
    bm25_k1: float = _number(1.5, 0.0, 10.0)
    bm25_b: float = _number(0.75, 0.0, 1.0)
    batch_size: int = _number(32, 1, 65536)
    """Texts encoded at once."""


@dataclass
class EndpointConfig:
    """An OpenAI-compatible embeddings endpoint, for the system ``openai``."""

    model: str = "text-embedding-ada-002"
    base_url: str | None = None
    api_key_env: str | None = "OPENAI_API_KEY"
    query_model: str | None = None
    """Another model name for questions, where the endpoint wants one."""
    batch_size: int = _number(128, 1, 2048)
    concurrency: int = _number(4, 1, 256)
    timeout_seconds: float = _number(60.0, above=0.0)
    max_retries: int = _number(5, 0, 100)
    max_tokens: int = _number(8191, 16, 1_000_000)
    """Longest input that the endpoint takes; longer texts are cut, and counted."""
    price_per_million_tokens: float | None = _number(None, 0.0)
    """US dollars, for the report's costs; null takes the list price, where embft knows it."""


SYSTEMS = ("bm25", "base", "tuned", "fused", "openai")
OBJECTIVE_METRICS = (
    "hit_rate@1", "hit_rate@3", "hit_rate@5", "hit_rate@10", "mrr@10", "ndcg@10", "map@100",
)  # fmt: skip


@dataclass
class EvaluationConfig:
    """Which systems, and how sure."""

    name: str = MISSING
    systems: list[str] = field(default_factory=lambda: ["bm25", "base", "tuned", "fused"])
    metrics: list[str] = field(default_factory=lambda: ["hit_rate@5", "ndcg@10", "mrr@10", "map@100"])
    """Metrics that get intervals and comparisons."""
    primary: str = "ndcg@10"
    """The metric that the verdict is about."""
    resamples: int = _number(10_000, 100, 10_000_000)
    confidence: float = _number(0.95, 0.5, 0.999)
    precision: float = _number(0.02, 0.001, 0.5)
    """Wished half-width of a difference's interval: the report says how many questions it takes."""
    general: str | None = None
    """Another dataset, on which base and tuned are compared too: a BEIR folder, a run's folder, or a dataset file."""
    objective: str = "tuned/ndcg@10"
    """``<system>/<metric>`` on dev that run.py returns to a sweeper."""
    openai: EndpointConfig = field(default_factory=EndpointConfig)


@dataclass
class TrackingConfig:
    """Where figures go besides the run folder."""

    name: str = MISSING
    backend: str = _choice("wandb", "wandb", "local")
    mode: str = _choice("auto", "auto", "online", "offline", "disabled")
    project: str = "embft"
    entity: str | None = None
    group: str | None = None
    tags: list[str] = field(default_factory=list)
    notes: str | None = None


@dataclass
class ExperimentConfig:
    """One experiment."""

    corpus: CorpusConfig = MISSING
    questions: QuestionsConfig = MISSING
    dataset: DatasetConfig = MISSING
    model: ModelConfig = MISSING
    training: TrainingConfig = MISSING
    retrieval: RetrievalConfig = MISSING
    evaluation: EvaluationConfig = MISSING
    tracking: TrackingConfig = MISSING
    seed: int = _number(42, 0, 2**31 - 1)
    cache_dir: str = "outputs/cache"


GROUPS: dict[str, type] = {
    "corpus": CorpusConfig,
    "questions": QuestionsConfig,
    "dataset": DatasetConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
    "retrieval": RetrievalConfig,
    "evaluation": EvaluationConfig,
    "tracking": TrackingConfig,
}


def register() -> None:
    """Puts the schema into Hydra's config store: ``schema`` in each group, ``experiment_schema`` at the top."""
    store = ConfigStore.instance()
    store.store(name="experiment_schema", node=ExperimentConfig)
    for group, schema in GROUPS.items():
        store.store(group=group, name="schema", node=schema)


def _choices(value: str, choices: Sequence[str]) -> str:
    return f"{nearest(value, choices)} Choices: {', '.join(choices)}."


def problems(config: ExperimentConfig) -> list[str]:
    """Returns one sentence for each wrong value and each combination that cannot work."""
    return [*_value_problems(config, ""), *_combination_problems(config)]


def _value_problems(node: Any, prefix: str) -> Iterator[str]:
    for item in fields(node):
        value, key, limits = getattr(node, item.name), prefix + item.name, item.metadata
        if is_dataclass(value):
            yield from _value_problems(value, key + ".")
        elif value == "???":
            yield f"{key} is missing."
        elif "choices" in limits:
            if value not in limits["choices"]:
                yield f"{key}={value} is unknown.{_choices(str(value), limits['choices'])}"
        elif limits and value is not None:
            low, high, above = limits["low"], limits["high"], limits["above"]
            if above is not None and not value > above:
                yield f"{key}={value} must be greater than {above:g}."
            elif (low is not None and value < low) or (high is not None and value > high):
                bounds = f"at least {low:g}" if high is None else f"between {low:g} and {high:g}"
                yield f"{key}={value} must be {bounds}."
            elif value != value:
                yield f"{key} is not a number."


def _combination_problems(config: ExperimentConfig) -> Iterator[str]:
    corpus, questions, dataset, model = config.corpus, config.questions, config.dataset, config.model
    training, retrieval, evaluation = config.training, config.retrieval, config.evaluation
    if dataset.kind == "generated":
        if corpus.kind == "files" and not corpus.path:
            yield "corpus=files needs corpus.path=FILE, a folder or a quoted glob such as 'docs/**/*.md'."
        if questions.per_chunk == 0 and not questions.human:
            yield "questions.per_chunk=0 leaves no questions: set it to 1 or more, or give questions.human=FILE."
        yield from _question_problems(questions)
        if dataset.dev_fraction + dataset.test_fraction >= 1:
            yield "dataset.dev_fraction + dataset.test_fraction must be below 1, or nothing is left to train on."
        if dataset.split == "article" and corpus.kind == "python_reference":
            yield "dataset.split=article cuts by page number, which python_reference does not have: use dataset.split=blocks."
        for name in ("train", "dev", "test", "path"):
            if getattr(dataset, name):
                yield f"dataset.{name} is given but dataset=generated makes its own: add dataset=llama_index (or beir)."
    if questions.dry_run and dataset.kind != "generated":
        yield f"questions.dry_run=true: dataset={dataset.kind} brings its own questions, there is nothing to estimate."
    if dataset.kind == "llama_index":
        yield from (
            f"dataset=llama_index needs dataset.{name}=FILE."
            for name in ("train", "test")
            if not getattr(dataset, name)
        )
    if dataset.kind == "beir" and not dataset.path:
        yield "dataset=beir needs dataset.path=DIR, a folder with corpus.jsonl, queries.jsonl and qrels/."
    if corpus.chunk_overlap >= corpus.chunk_tokens:
        yield f"corpus.chunk_overlap={corpus.chunk_overlap} must be smaller than corpus.chunk_tokens={corpus.chunk_tokens}."
    if retrieval.window_overlap >= retrieval.window_tokens:
        yield (
            f"retrieval.window_overlap={retrieval.window_overlap} must be smaller than "
            f"retrieval.window_tokens={retrieval.window_tokens}."
        )
    if not (model.id or model.path or model.package):
        yield "model has neither id, path nor package: choose a model=..., or give model.path=DIR."
    if model.max_seq_length is not None and model.max_seq_length < 8:
        yield f"model.max_seq_length={model.max_seq_length} must be at least 8."
    yield from _evaluation_problems(evaluation, training)


def _question_problems(questions: QuestionsConfig) -> Iterator[str]:
    low, high = questions.filters.fewest_words, questions.filters.most_words
    if low is not None and high is not None and low > high:
        yield f"questions.filters.fewest_words={low} is more than questions.filters.most_words={high}: no question is left."
    if questions.backend == "extractive":
        for name, value in (
            ("pairs", questions.pairs), ("types", questions.types), ("persona", questions.persona),
            ("max_cost_usd", questions.max_cost_usd), ("max_tokens", questions.max_tokens),
        ):  # fmt: skip
            if value:
                yield f"questions.{name} needs an LLM: add questions=openai, openai_batch or local_llm."


def _evaluation_problems(evaluation: EvaluationConfig, training: TrainingConfig) -> Iterator[str]:
    systems = evaluation.systems
    if not systems:
        yield "evaluation.systems is empty."
    for system in systems:
        if system not in SYSTEMS:
            yield f"evaluation.systems: '{system}' is unknown.{nearest(system, SYSTEMS)} Choices: {', '.join(SYSTEMS)}."
    if len(set(systems)) < len(systems):
        yield "evaluation.systems names a system twice."
    for metric in (*evaluation.metrics, evaluation.primary):
        if metric not in OBJECTIVE_METRICS:
            yield f"evaluation metric '{metric}' is unknown.{_choices(metric, OBJECTIVE_METRICS)}"
    if evaluation.primary not in evaluation.metrics:
        yield f"evaluation.primary={evaluation.primary} must be one of evaluation.metrics."
    if not training.enabled and "tuned" in systems:
        yield "training.enabled=false leaves no tuned model: take 'tuned' out of evaluation.systems (then fused is BM25 + base)."
    if evaluation.general is not None and not training.enabled:
        yield "evaluation.general compares the tuned model with the base one: it needs a training=... recipe."
    system, _, metric = evaluation.objective.partition("/")
    if system not in systems:
        yield f"evaluation.objective={evaluation.objective}: '{system}' is not in evaluation.systems."
    if metric not in OBJECTIVE_METRICS:
        yield f"evaluation.objective={evaluation.objective}: metric '{metric}' is unknown.{_choices(metric, OBJECTIVE_METRICS)}"
