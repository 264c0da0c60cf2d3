"""The schema of the configuration: one dataclass per group of ``configs/``, each field with its default, limits and meaning.

Hydra checks names and types against it, `embft.config.problems` checks values and combinations.
They are plain dataclasses: a stage package takes its own group's object or plain arguments, and never sees OmegaConf.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from omegaconf import MISSING

from embft.config.fields import DEV_METRICS, choice, number
from embft.config.held_back import HeldBackConfig
from embft.config.scale import FaissConfig
from embft.text.codes import NAMES


@dataclass
class CorpusConfig:
    """Which documents, and how they become chunks."""

    name: str = MISSING
    """What reports call the choice: the name of its file."""
    kind: str = choice("files", "files", "chunks", "nvidia_10k", "python_reference")
    """Where the documents come from: your own files, chunks that you have, NVIDIA's 10-K of the published article, or Python's
    language reference."""
    path: str | None = None
    """A file, folder or glob. For chunks: the file that holds them. For nvidia_10k: a local copy of the PDF."""
    url: str | None = None
    """Address of the document, where there is no path."""
    sha256: str | None = None
    """Digest of that document; another one is refused, or warned about where corpus.path names it."""
    share: float = number(1.0, high=1.0, above=0.0)
    """Share of the documents that is taken, drawn by their names: for a first try over many. People's questions about the others
    are left out. A larger share holds all that a smaller one does."""
    pdf_reader: str = choice("pypdfium2", "pypdfium2", "pypdf")
    """Library that reads PDFs."""
    ocr: str = choice("off", "off", "auto")
    """auto: PDF pages that are pictures, or whose fonts do not say which letters they show, are read by Tesseract."""
    chunk_tokens: int = number(256, 16, 8192)
    """Upper bound of a chunk in model-independent tokens (see embft.text.tokens)."""
    chunk_overlap: int = number(0, 0, 4096)
    """Tokens that a chunk shares with the one before it."""
    passage_tokens: int = number(256, 16, 8192)
    """Upper bound of the passages by which dev and test are chosen and asked about, regardless of the chunks."""
    drop_boilerplate: bool = True
    """Leave out lines that stand at the edge of most pages of a document."""
    on_error: str = choice("stop", "stop", "skip")
    """What a broken, encrypted, scanned or empty file does: stop the run, or be named and skipped."""
    language: str = choice("auto", "auto", *NAMES)
    """ISO 639-1 code of the language that all documents are in: ``de``, ``ja``; auto: each document's is looked for."""
    context: str = choice("none", "auto", "none", "title", "headings", "llm")
    """What stands before each chunk, and each of its windows, where it is embedded and indexed: its document's title; title and
    headings; a sentence by the LLM of the group questions; auto: the title or nothing, as dev questions of people choose."""
    bundled_questions: str | None = None
    """``bundled:NAME``: human questions that embft carries for this corpus."""


@dataclass
class FiltersConfig:
    """Which questions are thrown out, each filter on its own; null or false leaves a filter out."""

    boilerplate: bool = False
    """Skip chunks that nobody asks about: tables of contents, signatures, indexes. No question is paid for about them."""
    fewest_words: int | None = number(None, 0, 10_000)
    """Questions with fewer words go; jieba cuts Chinese into words, ICU Japanese and Thai."""
    most_words: int | None = number(None, 1, 10_000)
    """Questions with more words go."""
    language: bool = False
    """Questions in another language than their chunk (or than ``questions.language``)."""
    passage_dependent: bool = False
    """Questions that lean on a passage which the asker has not seen: "according to the document", "in this section", "该文"."""
    copied_share: float | None = number(None, 0.0, 1.0)
    """Questions that have at least this share of their words (in Chinese: characters) in one unbroken run of the passage."""
    near_duplicates: float | None = number(None, 50.0, 100.0)
    """Similarity in percent (rapidfuzz token_sort_ratio) from which the later of two questions goes."""
    round_trip: int | None = number(None, 1, 1000)
    """BM25 must find a relevant chunk among its first so many, or the question is answered better elsewhere."""


@dataclass
class QuestionsConfig:
    """Who writes the questions to train on; dev and test have questions.test."""

    setting: ClassVar[str] = "questions"
    """Where these settings stand, for what is said when one of them is wrong; another LLM's are a subclass of these."""
    way_out: ClassVar[str] = "take questions=extractive, which needs no LLM"

    name: str = MISSING
    """What reports call the choice: the name of its file."""
    backend: str = choice("extractive", "extractive", "openai", "openai_batch", "local_llm")
    """extractive: cut out of the text, without an LLM; openai: any OpenAI-compatible server; openai_batch: its Batch
    API; local_llm: a GGUF model on this machine."""
    per_chunk: int = number(2, 0, 20)
    """Questions to train on asked for about each chunk."""
    pairs: int = number(0, 0, 1_000_000)
    """Questions about two related chunks at once, both relevant; LLM backends only."""
    human: str | None = None
    """A file of people's own questions (JSON Lines, CSV, or one question per line), or ``bundled:NAME``."""
    language: str = choice("auto", "auto", *NAMES)
    """Language of the questions; auto: each passage's own."""
    stands_in: str | None = None
    """A sentence for log and report: what these questions stand in for."""
    test: HeldBackConfig = field(default_factory=HeldBackConfig)
    """Who writes dev and test questions, where no person asked any."""
    filters: FiltersConfig = field(default_factory=FiltersConfig)
    model: str = "gpt-4o-mini"
    """Name of the LLM at the endpoint; for local_llm a GGUF file, or null for the packaged SmolLM2."""
    base_url: str | None = None
    """Address of the server, such as http://localhost:8000/v1; null is OpenAI's."""
    api_key_env: str | None = "OPENAI_API_KEY"
    """Name of the environment variable that holds the key; null for an endpoint without one."""
    prompt: str = "article"
    """Name of a prompt in embft/questions/prompts, or the path of a file."""
    types: list[str] = field(default_factory=list)
    """Kinds of question, dealt out in turn to a prompt with ``{types}``: names in prompts/types, or paths of files."""
    persona: str | None = None
    """Who asks, for a prompt with ``{persona}``: "a nurse on a night shift"."""
    structured: str = choice("auto", "auto", "never")
    """auto: ask for JSON by a schema, and without one where the server does not know them."""
    temperature: float = number(0.0, 0.0, 2.0)
    """Sampling temperature of the LLM."""
    reply_tokens: int = number(512, 16, 32768)
    """Longest reply."""
    dry_run: bool = False
    """Print chunks, tokens, price and time, ask nothing, and stop."""
    max_cost_usd: float | None = number(None, 0.0)
    """Stop before this set of questions costs more, what earlier runs paid for it included."""
    max_tokens: int | None = number(None, 0)
    """Stop before this set of questions takes more tokens, prompts and replies together."""
    prices: str | None = None
    """A price table of your own, in the form of embft/prices.yaml."""
    concurrency: int = number(8, 1, 512)
    """Requests under way at once."""
    requests_per_minute: int | None = number(None, 1)
    """Requests started in a minute at most; null: as many as the server takes."""
    timeout_seconds: float = number(60.0, above=0.0)
    """How long a reply may take."""
    max_retries: int = number(5, 0, 100)
    """How often a failed request is sent again."""
    poll_seconds: float = number(30.0, above=0.0)
    """openai_batch: how often the batch is looked after."""


@dataclass
class DatasetConfig:
    """How questions become train, dev and test."""

    name: str = MISSING
    """What reports call the choice: the name of its file."""
    kind: str = choice("generated", "generated", "llama_index", "beir")
    """generated: made from documents and questions; llama_index: files that exist; beir: a BEIR folder."""
    train: str | None = None
    """File of the train questions and their passages."""
    dev: str | None = None
    """File of the dev questions; null takes a share of train."""
    test: str | None = None
    """File of the test questions."""
    path: str | None = None
    """Folder of a BEIR data set."""
    split: str = choice("blocks", "blocks", "documents", "article")
    """What stays in one split: blocks of neighbouring pages, whole documents, or, as in the article, pages before and
    after a cut."""
    block_pages: int = number(4, 1, 1000)
    """Neighbouring pages (chunks, where a format has no pages) that stay in one split."""
    train_pages: int = number(90, 1, 1_000_000)
    """split=article: pages 1..train_pages train, the rest test."""
    dev_fraction: float = number(0.15, 0.0, 0.5)
    """Share for dev: of the chunks, of people's questions, or of train where a dataset has no dev."""
    test_fraction: float = number(0.35, 0.0, 0.9)
    """Share for test: of the chunks, or of people's questions."""
    candidates: str = choice("all", "all", "split")
    """What dev and test questions search: every chunk, or the chunks of their split."""
    leaks: str = choice("drop", "drop", "stop", "allow")
    """What becomes of train questions that give test questions away: drop leaves them out and counts them, stop stops the run,
    allow continues with them."""
    train_on: str = choice("unasked", "unasked", "all")
    """Chunks that training may ask about: those that no dev or test question is about, or all. No question of the test is
    ever trained on."""
    seed: int = number(42, 0, 2**31 - 1)
    """Decides which passages, or which people's questions, are dev and which test; apart from the seed of the training."""
    test_from: str | None = None
    """Dev and test questions of another run (its folder, or a file of its dataset/), looked up in this corpus."""


@dataclass
class EndpointConfig:
    """An OpenAI-compatible embeddings endpoint: the system ``openai``, or the model itself."""

    model: str = "text-embedding-ada-002"
    """Name of the model at the endpoint."""
    base_url: str | None = None
    """Address of the server, such as http://localhost:8000/v1; null is OpenAI's."""
    api_key_env: str | None = "OPENAI_API_KEY"
    """Name of the environment variable that holds the key; null for an endpoint without one."""
    query_model: str | None = None
    """Another model name for questions, where the endpoint wants one."""
    batch_size: int = number(128, 1, 2048)
    """Texts in a request."""
    concurrency: int = number(4, 1, 256)
    """Requests under way at once."""
    timeout_seconds: float = number(60.0, above=0.0)
    """How long an answer may take."""
    max_retries: int = number(5, 0, 100)
    """How often a failed request is sent again."""
    max_tokens: int = number(8191, 16, 1_000_000)
    """Longest input that the endpoint takes; longer texts are cut, and counted."""
    price_per_million_tokens: float | None = number(None, 0.0)
    """US dollars, for the report's costs; null takes the list price, where embft knows it."""


@dataclass
class ModelConfig:
    """An embedding model, open or behind an API, and the prompts it wants."""

    name: str = MISSING
    """What reports call the choice: the name of its file."""
    kind: str = choice("weights", "weights", "endpoint")
    """weights: an open model, run here; endpoint: an API."""
    id: str | None = None
    """Model id on the hub."""
    revision: str | None = None
    """Branch, tag or commit of the model on the hub; null is the newest."""
    path: str | None = None
    """Local folder; used before anything else."""
    package: str | None = None
    """Python package that carries the weights; used where there is no path."""
    package_sha256: str | None = None
    """Of the package's model.safetensors; checked whenever it is used."""
    endpoint: EndpointConfig = field(default_factory=EndpointConfig)
    """kind=endpoint: the API in the place of weights; only a map of its question vectors can be trained."""
    query_prompt: str | None = None
    """Put before every question; null takes the model's own, if it has one."""
    document_prompt: str | None = None
    """Put before every passage; null takes the model's own, if it has one."""
    max_seq_length: int | None = number(None, 8, 1_000_000)
    """Tokens a text is cut at; null takes the model's own."""
    language: str = "en"
    """Code of the language that the model was made for, several joined by ``+`` (``en+de``), or ``multi``."""


@dataclass
class RetrievalConfig:
    """How chunks are searched."""

    name: str = MISSING
    """What reports call the choice: the name of its file."""
    mode: str = choice("windows", "windows", "truncate", "late")
    """windows: one vector per window, a chunk scores as its best window; truncate: one vector per chunk, its text cut off at the
    model's limit; late: one vector per token, each of the question's matched with the closest of the chunk's (MaxSim)."""
    window_tokens: int = number(96, 16, 8192)
    """Tokens of the embedding model in a window."""
    window_overlap: int = number(24, 0, 4096)
    """Tokens that a window shares with the one before it: a sentence cut in two still stands whole in one of them."""
    index: str = choice("exact", "exact", "faiss")
    """exact: every vector is looked at; faiss: an approximate index (pip install 'embft[faiss]'), by which all is ranked and
    served, with its recall against exact in the report."""
    faiss: FaissConfig = field(default_factory=FaissConfig)
    """index=faiss: which index."""
    depth: int = number(100, 10, 100_000)
    """Chunks kept per question."""
    expand: str = choice("none", "none", "neighbours", "page")
    """What is handed over around a found chunk and counted in answer@N: nothing, the chunks beside it, or its page.
    Files without pages (text, HTML, Markdown) have none to hand over."""
    bm25_k1: float = number(1.5, 0.0, 10.0)
    """How much a word that is repeated in a chunk adds to its score."""
    bm25_b: float = number(0.75, 0.0, 1.0)
    """How far a chunk's length lowers its score: 0 not at all, 1 in full proportion."""
    bm25_window: int = number(32, 0, 8192)
    """BM25 adds to a chunk's score that of its best window of so many words, stop words not counted; 0: the chunk alone."""
    bm25_pairs: float = number(0.5, 0.0, 10.0)
    """BM25 adds the score by pairs of neighbouring words, stop words not counted, times this; 0: single words alone."""
    bm25_language: str = choice("auto", "auto", *NAMES)
    """Whose words BM25 cuts, stems and leaves out; auto: each chunk's own language."""
    fuse: list[str] = field(default_factory=lambda: ["bm25", "dense"])
    """What the system fused mixes: bm25 and dense, and with late the model's token vectors besides."""
    fusion_metric: str = choice("ndcg@10", *DEV_METRICS)
    """The dev metric that chooses the weights of the fusion and of the reranker."""
    batch_size: int | None = number(None, 1, 65536)
    """Texts encoded at once; null: 256 on a GPU, else 32."""
    precision: str = choice("fp32", "fp32", "auto", "bf16", "fp16")
    """What vectors are worked out in. auto: half precision where the hardware has it, twice as fast or more; rankings move
    a little."""
