"""Which keys are read under which choices: a setting that is given and would not be used is refused.

One row for each key of the schema, so a new key cannot be forgotten: a test asks for every one of them. The table is about what a
person sets on the command line; what the file of a group sets is nobody's mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from embft.config import ExperimentConfig
from embft.config.condition import ALWAYS, Condition
from embft.config.scale_usage import SCALE_ROWS

_query_log = Condition(
    "questions.human", lambda c: c.dataset.kind == "generated" and c.questions.human is not None, "questions.human=LOG"
)
_generated = Condition(
    "dataset=generated",
    lambda c: c.dataset.kind == "generated",
    "dataset=generated, which makes the dataset of documents",
)
_writes_questions = Condition(
    "dataset=generated, or dataset=beir with training",
    lambda c: c.dataset.kind == "generated" or (c.dataset.kind == "beir" and c.training.enabled),
    "dataset=generated, which makes the dataset of documents",
)
_own_files = Condition(
    "corpus=files or nvidia_10k", lambda c: c.corpus.kind in {"files", "nvidia_10k"}, "corpus=files corpus.path=FILE"
)
_has_path = Condition(
    "corpus=files, chunks or nvidia_10k", lambda c: c.corpus.kind != "python_reference", "corpus=files corpus.path=FILE"
)
_cuts_chunks = Condition(
    "documents that embft cuts into chunks", lambda c: c.corpus.kind != "chunks", "corpus=files; corpus=chunks has them"
)
_download = Condition(
    "corpus=nvidia_10k without corpus.path",
    lambda c: c.corpus.kind == "nvidia_10k" and not c.corpus.path,
    "corpus=nvidia_10k",
)
_article_pdf = Condition("corpus=nvidia_10k", lambda c: c.corpus.kind == "nvidia_10k", "corpus=nvidia_10k")
_asks_llm = Condition(
    "an LLM that writes questions", lambda c: c.questions.backend != "extractive",
    "questions=openai, openai_batch or local_llm",
)  # fmt: skip


def _writers(config: ExperimentConfig) -> set[str]:
    """Backends of questions to train on, and of dev and test questions."""
    return {config.questions.backend, config.questions.test.backend}


_any_llm = Condition(
    "an LLM that writes questions", lambda c: _writers(c) != {"extractive"},
    "questions=openai, openai_batch or local_llm",
)  # fmt: skip
_asks_endpoint = Condition(
    "questions=openai or openai_batch", lambda c: bool(_writers(c) & {"openai", "openai_batch"}), "questions=openai"
)
_asks_now = Condition(
    "questions=openai or local_llm", lambda c: bool(_writers(c) & {"openai", "local_llm"}), "questions=openai"
)
_batch = Condition("questions=openai_batch", lambda c: "openai_batch" in _writers(c), "questions=openai_batch")
_writes_test = Condition(
    "dataset=generated without dataset.test_from",
    lambda c: c.dataset.kind == "generated" and not c.dataset.test_from,
    "dataset=generated, which makes the dataset of documents, and no dataset.test_from",
)
_test_llm = Condition(
    "an LLM that writes test questions", lambda c: c.questions.test.backend != "extractive",
    "questions.test.backend=openai, openai_batch or local_llm",
)  # fmt: skip
_given_files = Condition(
    "dataset=llama_index", lambda c: c.dataset.kind == "llama_index", "dataset=llama_index (or beir, with dataset.path)"
)
_beir = Condition("dataset=beir", lambda c: c.dataset.kind == "beir", "dataset=beir")
_has_titles = Condition(
    "dataset=generated or beir",
    lambda c: c.dataset.kind in {"generated", "beir"},
    "dataset=generated; the files of dataset=llama_index hold contexts of their own",
)
_blocks = Condition(
    "dataset.split=blocks or article", lambda c: c.dataset.split in {"blocks", "article"}, "dataset.split=blocks"
)
_article = Condition("dataset.split=article", lambda c: c.dataset.split == "article", "dataset.split=article")
_cuts_dev = Condition(
    "a dataset without dev questions of its own", lambda c: not (c.dataset.kind == "llama_index" and c.dataset.dev)
)
_weights = Condition("a model of weights", lambda c: c.model.kind == "weights", "a model=NAME that has weights")
_no_path = Condition("no model.path", lambda c: not c.model.path)
_packaged = Condition("model.package", lambda c: c.model.package is not None, "model.package=NAME")
_api = Condition("model=openai", lambda c: c.model.kind == "endpoint", "model=openai")
_trained = Condition("training", lambda c: c.training.enabled, "a recipe: training=default, for example")
_tunes_model = Condition(
    "training.part=full or lora",
    lambda c: c.training.part != "adapter",
    "training.part=full; an adapter leaves the model alone",
)
_full = Condition("training.part=full", lambda c: c.training.part == "full", "training.part=full")
_lora = Condition("training.part=lora", lambda c: c.training.part == "lora", "training=lora")
_gist = Condition("training.loss=gist", lambda c: c.training.loss == "gist", "training.loss=gist")
_teacher = Condition(
    "training.loss=distillation", lambda c: c.training.loss == "distillation", "training.loss=distillation"
)
_learns_questions = Condition(
    "training from questions", lambda c: c.training.learn_from != "windows", "training.learn_from=questions"
)
_learns_windows = Condition(
    "training from windows", lambda c: c.training.learn_from != "questions", "training.learn_from=windows"
)
_mines = Condition("training.negatives above 0", lambda c: c.training.negatives > 0, "training=hard_negatives")
_truncates = Condition("retrieval.mode=truncate", lambda c: c.retrieval.mode == "truncate", "retrieval=truncate")
_windows = Condition("retrieval.mode=windows or late", lambda c: c.retrieval.mode != "truncate", "retrieval=windows")
_bm25 = Condition(
    "bm25, fused or reranked in evaluation.systems",
    lambda c: bool({"bm25", "fused", "reranked"} & set(c.evaluation.systems)),
    "bm25 to evaluation.systems",
)  # fmt: skip
_fuses = Condition(
    "fused or reranked in evaluation.systems",
    lambda c: bool({"fused", "reranked"} & set(c.evaluation.systems)),
    "fused to evaluation.systems",
)
_asks_openai = Condition(
    "openai in evaluation.systems", lambda c: "openai" in c.evaluation.systems, "evaluation=openai"
)
_reranks = Condition(
    "reranked in evaluation.systems", lambda c: "reranked" in c.evaluation.systems, "reranked to evaluation.systems"
)
_cross_encoder = Condition(
    "evaluation.reranker.kind=cross_encoder",
    lambda c: c.evaluation.reranker.kind == "cross_encoder",
    "evaluation.reranker.kind=cross_encoder",
)
_hub_reranker = Condition("no evaluation.reranker.path", lambda c: not c.evaluation.reranker.path)
_judges = Condition("evaluation.judge", lambda c: c.evaluation.judge != "none", "evaluation.judge=llm")
_llm_judges = Condition("evaluation.judge=llm", lambda c: c.evaluation.judge == "llm", "evaluation.judge=llm")
_judge_endpoint = Condition(
    "evaluation.judging.backend=openai",
    lambda c: c.evaluation.judging.backend == "openai",
    "evaluation.judging.backend=openai",
)
_rerank_api = Condition(
    "evaluation.reranker.kind=api", lambda c: c.evaluation.reranker.kind == "api", "evaluation.reranker.kind=api"
)
_wandb = Condition("tracking=wandb", lambda c: c.tracking.backend == "wandb", "tracking=wandb")
_tracked = Condition("a tracker", lambda c: c.tracking.backend != "local", "tracking=wandb")
_projects = Condition(
    "a tracker with projects", lambda c: c.tracking.backend not in {"local", "tensorboard"}, "tracking=wandb"
)

_ROWS: Sequence[tuple[str, tuple[Condition, ...]]] = (
    ("seed cache_dir reporting.language", ALWAYS),
    ("experiment dataset model training retrieval evaluation scale tracking", ALWAYS),
    ("corpus", (_generated,)),
    ("questions", (_writes_questions,)),
    # What a file calls itself, in reports.
    ("corpus.name questions.name dataset.name model.name training.name retrieval.name evaluation.name tracking.name", ALWAYS),
    ("corpus.kind corpus.share corpus.bundled_questions corpus.language", (_generated,)),
    ("corpus.context", (_has_titles,)),
    ("corpus.chunk_tokens corpus.chunk_overlap", (_generated, _cuts_chunks)),
    ("corpus.passage_tokens", (_writes_test, _cuts_chunks)),
    ("corpus.path", (_generated, _has_path)),
    ("corpus.pdf_reader corpus.ocr corpus.drop_boilerplate corpus.on_error", (_generated, _own_files)),
    ("corpus.url", (_generated, _download)),
    ("corpus.sha256", (_generated, _article_pdf)),
    ("questions.dry_run", (_generated,)),
    ("questions.human questions.test.backend questions.test.per_chunk questions.test.language", (_writes_test,)),
    ("questions.test.seed questions.test.model questions.test.base_url questions.test.prompt", (_writes_test, _test_llm)),
    ("questions.test.structured questions.test.filters", (_writes_test, _test_llm)),
    ("questions.backend questions.per_chunk questions.language", (_writes_questions,)),
    ("questions.stands_in", (_writes_questions,)),
    ("questions.filters.boilerplate questions.filters.fewest_words questions.filters.most_words", (_writes_questions,)),
    ("questions.filters.language questions.filters.passage_dependent questions.filters.copied_share", (_writes_questions,)),
    ("questions.filters.near_duplicates questions.filters.round_trip", (_writes_questions,)),
    ("questions.model", (_writes_questions, _any_llm)),
    ("questions.prompt questions.types questions.persona questions.pairs", (_writes_questions, _asks_llm)),
    ("questions.structured questions.temperature questions.reply_tokens", (_writes_questions, _asks_llm)),
    ("questions.timeout_seconds", (_writes_questions, _any_llm)),
    ("questions.max_retries questions.max_cost_usd questions.max_tokens questions.prices", (_writes_questions, _any_llm)),
    ("questions.base_url questions.api_key_env", (_writes_questions, _asks_endpoint)),
    ("questions.concurrency questions.requests_per_minute", (_writes_questions, _asks_now)),
    ("questions.poll_seconds", (_writes_questions, _batch)),
    ("dataset.kind dataset.candidates dataset.leaks dataset.train_on", ALWAYS),
    ("dataset.train dataset.dev dataset.test", (_given_files,)),
    ("dataset.path", (_beir,)),
    ("dataset.seed", ALWAYS),
    ("dataset.test_from", (_generated,)),
    ("dataset.split dataset.test_fraction", (_writes_test,)),
    ("dataset.block_pages", (_writes_test, _blocks)),
    ("dataset.train_pages", (_writes_test, _article)),
    ("dataset.dev_fraction", (_cuts_dev,)),
    ("model.kind model.query_prompt model.document_prompt model.language", ALWAYS),
    ("model.path model.max_seq_length", (_weights,)),
    ("model.id model.revision model.package", (_weights, _no_path)),
    ("model.package_sha256", (_weights, _no_path, _packaged)),
    ("model.endpoint.model model.endpoint.base_url model.endpoint.api_key_env model.endpoint.query_model", (_api,)),
    ("model.endpoint.batch_size model.endpoint.concurrency model.endpoint.timeout_seconds", (_api,)),
    ("model.endpoint.max_retries model.endpoint.max_tokens model.endpoint.price_per_million_tokens", (_api,)),
    ("training.enabled", ALWAYS),
    ("training.device", (_weights,)),
    ("training.epochs training.batch_size training.learning_rate training.warmup_ratio training.schedule", (_trained,)),
    ("training.weight_decay training.max_grad_norm training.temperature training.select_by", (_trained,)),
    ("training.dev_chunks training.patience training.seeds training.refit training.part", (_trained,)),
    ("training.dropout training.learn_from training.precision training.attention", (_trained, _tunes_model)),
    ("training.window_chunks", (_trained, _tunes_model, _learns_windows)),
    ("training.gradient_checkpointing training.compile training.average", (_trained, _tunes_model)),
    ("training.whitening training.checkpoint_steps training.loss training.symmetric", (_trained, _tunes_model)),
    ("training.hardness training.matryoshka training.mini_batch", (_trained, _tunes_model)),
    ("training.train_embeddings training.frozen_share", (_trained, _full)),
    ("training.positives", (_trained, _tunes_model, _truncates)),
    ("training.hide_source training.negatives", (_trained, _tunes_model, _learns_questions)),
    ("training.negative_margin", (_trained, _tunes_model, _mines)),
    ("training.lora_rank training.lora_alpha", (_trained, _lora)),
    ("training.guide training.guide_margin", (_trained, _tunes_model, _gist)),
    ("training.teacher", (_trained, _tunes_model, _teacher)),
    ("retrieval.mode retrieval.depth", ALWAYS),
    ("retrieval.expand", (_generated,)),
    ("retrieval.window_tokens retrieval.window_overlap", (_windows,)),
    ("retrieval.bm25_language retrieval.bm25_k1 retrieval.bm25_b retrieval.bm25_window retrieval.bm25_pairs", (_bm25,)),
    ("retrieval.batch_size retrieval.precision", (_weights,)),
    ("retrieval.fusion_metric retrieval.fuse", (_fuses,)),
    ("evaluation.systems evaluation.metrics evaluation.primary evaluation.resamples evaluation.confidence", ALWAYS),
    ("evaluation.precision evaluation.objective evaluation.relevant_from evaluation.margin", ALWAYS),
    ("evaluation.weights", (_query_log,)),
    ("evaluation.general", (_trained,)),
    ("evaluation.openai.model evaluation.openai.base_url evaluation.openai.api_key_env", (_asks_openai,)),
    ("evaluation.openai.query_model evaluation.openai.batch_size evaluation.openai.concurrency", (_asks_openai,)),
    ("evaluation.openai.timeout_seconds evaluation.openai.max_retries evaluation.openai.max_tokens", (_asks_openai,)),
    ("evaluation.openai.price_per_million_tokens", (_asks_openai,)),
    ("evaluation.judge evaluation.judging.first", ALWAYS),
    ("evaluation.judging.relevant_from evaluation.judging.dry_run", (_judges,)),
    ("evaluation.judging.check evaluation.judging.backend evaluation.judging.model", (_llm_judges,)),
    ("evaluation.judging.structured evaluation.judging.temperature evaluation.judging.reply_tokens", (_llm_judges,)),
    ("evaluation.judging.max_cost_usd evaluation.judging.max_tokens evaluation.judging.prices", (_llm_judges,)),
    ("evaluation.judging.concurrency evaluation.judging.requests_per_minute", (_llm_judges,)),
    ("evaluation.judging.timeout_seconds evaluation.judging.max_retries", (_llm_judges,)),
    ("evaluation.judging.base_url evaluation.judging.api_key_env", (_llm_judges, _judge_endpoint)),
    ("evaluation.reranker.kind evaluation.reranker.first evaluation.reranker.weight", (_reranks,)),
    ("evaluation.reranker.path evaluation.reranker.max_length", (_reranks, _cross_encoder)),
    ("evaluation.reranker.id evaluation.reranker.revision", (_reranks, _cross_encoder, _hub_reranker)),
    ("evaluation.reranker.api.model evaluation.reranker.api.base_url", (_reranks, _rerank_api)),
    ("evaluation.reranker.api.api_key_env", (_reranks, _rerank_api)),
    ("evaluation.reranker.api.batch_size evaluation.reranker.api.concurrency", (_reranks, _rerank_api)),
    ("evaluation.reranker.api.timeout_seconds evaluation.reranker.api.max_retries", (_reranks, _rerank_api)),
    ("evaluation.reranker.api.price_per_thousand_requests", (_reranks, _rerank_api)),
    ("evaluation.reranker.api.price_per_million_tokens", (_reranks, _rerank_api)),
    ("evaluation.reranker.api.max_cost_usd evaluation.reranker.api.max_requests", (_reranks, _rerank_api)),
    ("tracking.backend", ALWAYS),
    ("tracking.mode tracking.entity tracking.artifacts", (_wandb,)),
    ("tracking.project", (_projects,)),
    ("tracking.group tracking.tags tracking.notes", (_tracked,)),
    *SCALE_ROWS,
)  # fmt: skip


@cache
def conditions() -> Mapping[str, tuple[Condition, ...]]:
    """Key to the conditions that must all hold for it to be read."""
    return {key: needed for keys, needed in _ROWS for key in keys.split()}


def unmet(key: str, config: ExperimentConfig) -> Condition | None:
    """The first condition of a key that a configuration does not meet; None where the key is read."""
    return next((condition for condition in conditions().get(key, ALWAYS) if not condition.holds(config)), None)


def unused_problems(keys: Iterable[str], configs: Sequence[ExperimentConfig]) -> dict[str, str]:
    """The keys that none of the configurations reads, each with a sentence.

    Args:
        keys: What a person set.
        configs: A sweep's jobs; a value that one of them reads is used.
    """
    sentences = {}
    for key in dict.fromkeys(keys):
        missing = [unmet(key, config) for config in configs]
        if missing and all(missing) and (first := missing[0]):
            add = f" Add {first.remedy}, or leave it out." if first.remedy else " Leave it out."
            sentences[key] = f"{key} is given and would not be used: it is read with {first.words} only.{add}"
    return sentences
