"""Time and memory against the number of chunks: whole runs without training, and the pieces of a ranking on their own.

    python benchmarks/bench_scale.py run FOLDER --chunks 40000 --questions 1000 --layers 0
    python benchmarks/bench_scale.py bm25 FOLDER --chunks 50000 --questions 300
    python benchmarks/bench_scale.py dense FOLDER --chunks 200000 --questions 2000
    python benchmarks/bench_scale.py weights FOLDER --chunks 50000 --questions 300
    python benchmarks/bench_scale.py vectors FOLDER --chunks 50000

The text is made: words by Zipf's law, a question from words of its chunk. The model has one small layer, or with ``--layers 0``
none: then a text's vector is the mean of a random vector for each of its words. Results: benchmarks/results/scale.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from embft.records import RetrievalDataset

ROOT = Path(__file__).resolve().parent.parent
WORDS_IN_A_CHUNK = 110
WORDS_IN_A_QUESTION = 9
VOCABULARY = 60_000
DIMENSIONS = 64
_SYLLABLES = [first + vowel for first in "bdfgklmnprst" for vowel in "aeiou"]


def main() -> None:
    """Makes what is missing in the folder, and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "bm25", "dense", "weights", "vectors"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chunks", type=int, default=40_000)
    parser.add_argument("--questions", type=int, default=1_000)
    parser.add_argument(
        "--by",
        choices=["embft", "other", "evaluator"],
        default="embft",
        help="other: bm25s, or the bare product; evaluator: sentence-transformers' InformationRetrievalEvaluator",
    )
    parser.add_argument("--language", default="en", help="of bm25; auto: looked for, with a model of 100 MB")
    parser.add_argument("--layers", type=int, default=1, help="of the model")
    parser.add_argument("settings", nargs="*", help="further settings of run.py")
    arguments = parser.parse_args()
    if arguments.what == "run":
        _measure_run(arguments)
        return
    pieces: dict[str, Callable[[argparse.Namespace], Callable[[], object]]] = {
        "bm25": _bm25,
        "dense": _dense,
        "weights": _weights,
        "vectors": _stored_vectors,
    }
    work, before = pieces[arguments.what](arguments), _peak()
    started, cpu = time.perf_counter(), time.process_time()
    work()
    print(
        f"{arguments.what} by {arguments.by}: {time.process_time() - cpu:.1f} s of CPU, {time.perf_counter() - started:.1f} s, "
        f"{_peak() - before:,.0f} MB more than before"
    )


def _measure_run(arguments: argparse.Namespace) -> None:
    folder, chunks, questions = arguments.folder, arguments.chunks, arguments.questions
    data, model = folder / f"{chunks}x{questions}", folder / f"model{arguments.layers}"
    if not (data / "qrels" / "test.tsv").is_file():
        write_dataset(data, chunks, questions)
    if not (model / "modules.json").is_file():
        write_model(model, arguments.layers)
    name = time.strftime("%H%M%S")
    command = [
        sys.executable, str(ROOT / "run.py"), "training=none", "evaluation=base_only", "dataset=beir",
        f"dataset.path={data}", f"model.path={model}", "tracking=local", f"hydra.run.dir={folder / 'runs' / name}",
        f"cache_dir={folder / 'cache' / name}", *arguments.settings,
    ]  # fmt: skip
    print(" ".join(command))
    started = time.perf_counter()
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{chunks:,} chunks, {questions:,} questions: status {status}, {used.ru_utime + used.ru_stime:.0f} s of CPU, "
        f"{time.perf_counter() - started:.0f} s, peak {used.ru_maxrss / 1024:,.0f} MB"
    )


def _bm25(arguments: argparse.Namespace) -> Callable[[], object]:
    texts, questions = made_texts(arguments.chunks), made_questions(arguments.chunks, arguments.questions)
    corpus = {f"{number:08d}": text for number, text in enumerate(texts)}

    def by_bm25s() -> None:
        import bm25s
        import Stemmer

        stemmer = Stemmer.Stemmer("english")
        tokens = bm25s.tokenize(list(corpus.values()), stemmer=stemmer, show_progress=False)
        index = bm25s.BM25()
        index.index(tokens, show_progress=False)
        asked = bm25s.tokenize(questions, stemmer=stemmer, show_progress=False)
        index.retrieve(asked, k=100, show_progress=False)

    def by_embft() -> None:
        from embft.retrieval.bm25 import BM25Scorer
        from embft.retrieval.scoring import rank

        scorer = BM25Scorer(corpus, questions, window=32, pairs=0.5, language=arguments.language)
        ids = [str(number) for number in range(len(questions))]
        rank(scorer, ids, list(corpus), system="bm25", score_name="bm25", depth=100, floor=0.0)

    return by_embft if arguments.by == "embft" else by_bm25s


def _dense(arguments: argparse.Namespace) -> Callable[[], object]:
    from embft.evaluation.metrics import dataset_scores
    from embft.records import RetrievalDataset
    from embft.retrieval.scoring import DenseScorer, rank

    questions, chunks = (_vectors(count, 384) for count in (arguments.questions, arguments.chunks))
    names = [f"{number:08d}" for number in range(arguments.chunks)]
    ids = names[: arguments.questions]
    dataset = RetrievalDataset(dict.fromkeys(ids, ""), dict.fromkeys(names, ""), {key: (key,) for key in ids})

    def by_embft() -> None:
        scorer = DenseScorer(questions, chunks, np.arange(len(chunks)))
        dataset_scores(rank(scorer, ids, names, system="base", score_name="cosine", depth=100), dataset)

    def product() -> None:
        for start in range(0, len(questions), 80):
            questions[start : start + 80] @ chunks.T

    if arguments.by == "evaluator":
        return _evaluator(dataset, questions, chunks)
    return by_embft if arguments.by == "embft" else product


def _evaluator(dataset: RetrievalDataset, questions: np.ndarray, chunks: np.ndarray) -> Callable[[], object]:
    """Cosine alone, as the model's own similarity would be."""
    import torch
    from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator
    from sentence_transformers.util import dot_score

    class Embedded(InformationRetrievalEvaluator):
        def embed_inputs(self, *_: object, **__: object) -> torch.Tensor:
            return torch.from_numpy(questions)

    relevant = {key: set(ids) for key, ids in dataset.relevant_docs.items()}
    evaluator = Embedded(
        dict(dataset.queries), dict(dataset.corpus), relevant, score_functions={"cosine": dot_score}, write_csv=False
    )
    return lambda: evaluator.compute_all_metrics(None, corpus_embeddings=torch.from_numpy(chunks))


def _weights(arguments: argparse.Namespace) -> Callable[[], object]:
    from embft.config import EvaluationConfig, RetrievalConfig
    from embft.ranking.bench import Bench
    from embft.ranking.fused import choose_fusion
    from embft.records import RetrievalDataset
    from embft.retrieval.scoring import DenseScorer, TableScorer

    random = np.random.default_rng(0)
    names = [f"{number:08d}" for number in range(arguments.chunks)]
    queries = {str(number): "" for number in range(arguments.questions)}
    relevant = {key: (names[int(key)],) for key in queries}
    bench = Bench(
        RetrievalConfig(name="windows"), EvaluationConfig(name="default"),
        {"dev": RetrievalDataset(queries, dict.fromkeys(names, ""), relevant)}, None, None,
    )  # type: ignore[arg-type]  # fmt: skip
    table = random.gamma(1, 2, (arguments.questions, arguments.chunks)).astype(np.float32)
    table[random.random(table.shape) < 0.7] = 0
    dense = DenseScorer(
        _vectors(arguments.questions, 384), _vectors(arguments.chunks, 384), np.arange(arguments.chunks)
    )
    bench._scorers = {("base", "dev"): {"cosine": dense}, ("bm25", "dev"): {"bm25": TableScorer(table)}}
    return lambda: choose_fusion(bench)


def _stored_vectors(arguments: argparse.Namespace) -> Callable[[], object]:
    """Stored once, and read twice by caches that were opened anew."""
    from embft.retrieval.vector_cache import VectorCache

    place = arguments.folder / f"vectors-{time.strftime('%H%M%S')}"
    vectors, texts = _vectors(arguments.chunks, 384), [f"text {number}" for number in range(arguments.chunks)]

    def work() -> None:
        for _ in range(3):
            started = time.process_time()
            VectorCache(place).encode("m", "", texts, lambda some: vectors[[int(text.split()[1]) for text in some]])
            print(f"{time.process_time() - started:.2f} s of CPU")
        files = [path for path in [*place.rglob("*"), place] if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        print(f"{size:,} bytes for {vectors.nbytes:,} bytes of vectors")

    return work


def _vectors(count: int, dimensions: int) -> np.ndarray:
    vectors = np.random.default_rng(count).normal(size=(count, dimensions)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def made_words() -> list[str]:
    """The vocabulary: words of two to four syllables, none twice."""
    random = np.random.default_rng(7)
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        words["".join(random.choice(_SYLLABLES, random.integers(2, 5)))] = None
    return list(words)


def made_texts(count: int) -> Iterator[str]:
    """Chunks, always the same ones."""
    words = made_words()
    for number in range(0, count, 1000):
        drawn = _draw(np.random.default_rng(number), (min(1000, count - number), WORDS_IN_A_CHUNK))
        yield from (" ".join(map(words.__getitem__, row)) for row in drawn.tolist())


def made_questions(chunks: int, count: int) -> list[str]:
    """Questions, each of words of one chunk and some others; see `relevant_of`."""
    wanted = {relevant_of(number, chunks, count) for number in range(count)}
    texts = {place: text for place, text in enumerate(made_texts(chunks)) if place in wanted}
    random = np.random.default_rng(1)
    words = made_words()
    questions = []
    for number in range(count):
        own = random.choice(texts[relevant_of(number, chunks, count)].split(), WORDS_IN_A_QUESTION - 3, replace=False)
        questions.append(" ".join([*own, *(words[place] for place in _draw(random, (3,)))]))
    return questions


def relevant_of(question: int, chunks: int, count: int) -> int:
    """The chunk that a question is about."""
    return question * chunks // count


def _draw(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of words by Zipf's law: the n-th is drawn as often as 1/n."""
    return np.minimum(np.exp(random.random(shape) * np.log(VOCABULARY)).astype(np.int64), VOCABULARY - 1)


def write_dataset(folder: Path, chunks: int, questions: int) -> None:
    """A BEIR folder; a third of the questions is dev, the others are test."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    with (folder / "corpus.jsonl").open("w", encoding="utf-8") as file:
        for number, text in enumerate(made_texts(chunks)):
            file.write(json.dumps({"_id": f"c{number:08d}", "title": "", "text": text}) + "\n")
    with (folder / "queries.jsonl").open("w", encoding="utf-8") as file:
        for number, text in enumerate(made_questions(chunks, questions)):
            file.write(json.dumps({"_id": f"q{number:06d}", "text": text}) + "\n")
    for split, numbers in (("dev", range(0, questions, 3)), ("test", range(questions))):
        rows = [number for number in numbers if split == "dev" or number % 3]
        lines = [f"q{number:06d}\tc{relevant_of(number, chunks, questions):08d}\t1\n" for number in rows]
        (folder / "qrels" / f"{split}.tsv").write_text(
            "query-id\tcorpus-id\tscore\n" + "".join(lines), encoding="utf-8"
        )


def write_model(folder: Path, layers: int) -> None:
    """A sentence-transformers folder: BERT with few layers or none, 64 numbers, a token for each word, random weights."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *made_words()])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=DIMENSIONS, num_hidden_layers=layers, num_attention_heads=1,
        intermediate_size=DIMENSIONS, max_position_embeddings=256,
    )  # fmt: skip
    parts = folder / "parts"
    BertModel(config).save_pretrained(parts)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=256,
    ).save_pretrained(parts)  # fmt: skip
    transformer = Transformer(str(parts), max_seq_length=256)
    SentenceTransformer(modules=[transformer, Pooling(DIMENSIONS, "mean")], device="cpu").save(str(folder))
    shutil.rmtree(parts)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
