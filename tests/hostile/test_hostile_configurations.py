"""Command lines that people type, mistaken or unusual: each is taken, or ends in words that say what to type instead.

Most are read, composed and checked as run.py does it, without a process each; the last ones are typed for real.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from hydra._internal.utils import get_args_parser

from embft.config import register
from embft.config.arguments import read_arguments
from embft.config.command_line import CheckedLine, check_line
from embft.config.composing import config_tree
from embft.errors import ConfigError

BEIR = "dataset=beir dataset.path=d training=none evaluation=base_only"
ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"
register()


@cache
def checked(line: str) -> CheckedLine:
    """What run.py makes of a command line before it runs anything."""
    try:
        arguments = read_arguments(shlex.split(line))
        tree = config_tree(CONFIGS, extra_dir=arguments.parsed.config_dir)
        return check_line(arguments.overrides, tree, sweep=arguments.is_sweep)
    except ConfigError as error:
        return CheckedLine([], problems=error.problems)


REFUSED: list[tuple[str, str]] = [
    # Names of other tools, other spellings, near misses: the key that is meant.
    ("lr=1e-4", "'training.learning_rate'"),
    ("learning_rate=1e-4", "'training.learning_rate'"),
    ("training.lr=1e-4", "'training.learning_rate'"),
    ("training.learningRate=1e-4", "'training.learning_rate'"),
    ("device=cpu", "'training.device'"),
    ("epochs=3", "'training.epochs'"),
    ("num_train_epochs=3", "'training.epochs'"),
    ("training.epoch=3", "'training.epochs'"),
    ("batch_size=8", "'training.batch_size'"),
    ("batch-size=8", "'training.batch_size'"),
    ("bs=8", "'training.batch_size'"),
    ("per_device_train_batch_size=8", "'training.batch_size'"),
    ("train_file=train.json", "'dataset.train' with dataset=llama_index"),
    ("val_file=val.json", "'dataset.dev'"),
    ("wandb=off", "'tracking=local'"),
    ("wandb=true", "tracking=wandb or tracking=local"),
    ("wandb_project=mine", "'tracking.project'"),
    ("project=mine", "'tracking.project'"),
    ("output_dir=here", "'hydra.run.dir'"),
    ("top_k=5", "'retrieval.depth'"),
    ("chunk_size=512", "'corpus.chunk_tokens'"),
    ("chunk_overlap=16", "'corpus.chunk_overlap'"),
    ("max_length=256", "'model.max_seq_length'"),
    ("model_name=BAAI/bge-m3", "model.id=HUB_ID"),
    ("api_key=sk-1", "environment variable"),
    ("fp16=true", "training.precision=fp16"),
    ("gpu=0", "training.device=cuda"),
    ("loss=gist", "'training.loss'"),
    ("lora_rank=8", "'training.lora_rank'"),
    ("warmup_steps=100", "'training.warmup_ratio'"),
    ("num_questions_per_chunk=3", "'questions.per_chunk'"),
    ("docs=handbook", "'corpus.path'"),
    ("sed=3", "'seed'"),
    ("corpus.pth=a.md", "'corpus.path'"),
    ("model.endpoint.modle=x", "'model.endpoint.model'"),
    ("questions.filters.boilerplat=true", "'questions.filters.boilerplate'"),
    ("evaluation.metric=ndcg@10", "'evaluation.metrics'"),
    ("foo=1", "foo is unknown."),
    ("foo.bar=1", "foo.bar is unknown."),
    ("training.quux=1", "training has: "),
    ("+foo=1", "+ adds a key that embft does not know"),
    ("++training.quux=1", "training.quux is unknown"),
    ("+training.epochs=3", "leave out the +, as in training.epochs=3"),
    ("+model=minilm", "leave out the +"),
    ("~training.epochs", "would take training.epochs out"),
    ("~tracking", "would take tracking out"),
    # What is not KEY=VALUE.
    ("handbook.pdf", "corpus.path=handbook.pdf"),
    ("train", "train is not KEY=VALUE"),
    ("''", "An argument is empty"),
    ("=3", "sets nothing"),
    ("seed", "seed has no value"),
    ("seed==3", "A whole number is wanted"),
    ("--foo", "${args_no_hyphens}"),
    ("--foo=1", "foo is unknown"),
    ("--dry-run", "--dry-run is no option"),
    ("--training.epochs 3", "training.epochs=VALUE"),
    ("-x", "-x is no option"),
    ("--cfg jobs", "invalid choice: 'jobs'"),
    ("--cfg job -m", "exclude each other"),
    ("--resolve", "--cfg job"),
    ("--config-dir nowhere", "there is no such folder"),
    # Values of the wrong type, beyond limits, no numbers.
    ("seed=abc", "such as seed=42"),
    ("seed=1.5", "A whole number is wanted"),
    ("seed=nan", "A whole number is wanted"),
    ("seed=inf", "A whole number is wanted"),
    ("seed=null", "seed=null"),
    ("seed=-1", "between 0 and"),
    ("seed=(1)", "A whole number is wanted"),
    ("seed=1#2", "A whole number is wanted"),
    ("seed=[1]", "A whole number is wanted"),
    ("seed={a:1}", "A whole number is wanted"),
    ("seed=1,2", "add -m"),
    ("seed='range(1,3)'", "add -m"),
    ("seed=手", "A whole number is wanted"),
    ("seed=", "A whole number is wanted"),
    ("training.learning_rate=inf", "a finite one is wanted"),
    ("training.learning_rate=nan", "a finite one is wanted"),
    ("training.learning_rate=-1", "greater than 0"),
    ("training.learning_rate=1e-4x", "A number is wanted"),
    ("training.learning_rate=0,0001", "add -m"),
    ("retrieval.bm25_k1=nan", "a finite one is wanted"),
    ("evaluation.confidence=inf", "a finite one is wanted"),
    ("dataset.dev_fraction=95", "between 0 and 0.5"),
    ("training.epochs=0", "between 1 and"),
    ("training.enabled=maybe", "true or false is wanted"),
    ("training.device=gpu", "training.device=gpu is unknown"),
    ("retrieval.mode=window", "Did you mean 'windows'?"),
    ("training.schedule=cos", "Did you mean 'cosine'?"),
    ("model.max_seq_length=-5", "must be between 8"),
    ("questions.filters.fewest_words=-1", "must be between 0"),
    ("training.matryoshka=[a]", "list of ints is wanted"),
    ("training.matryoshka=[0]", "at least 1"),
    ("cache_dir=null", "it must have a value"),
    ("cache_dir=", "cache_dir= is empty"),
    # Lists without brackets.
    ("evaluation.systems=bm25", '"evaluation.systems=[bm25]"'),
    ("evaluation.systems=bm25,base", '"evaluation.systems=[bm25,base]"'),
    ("-m evaluation.systems=bm25,base", '"evaluation.systems=[bm25,base]"'),
    ("evaluation.systems=[]", "evaluation.systems is empty"),
    ("evaluation.systems=[bm25,tunedd]", "Did you mean 'tuned'?"),
    ("tracking.tags=[中文]", "\"tracking.tags=['中文']\""),
    # A comma can mean two things: both are shown.
    ("corpus.path=a,b.md", "One value with a comma in it: \"corpus.path='a,b.md'\""),
    ("corpus.path=手册,终.pdf", "-m \"corpus.path='手册','终.pdf'\""),
    ("-m corpus.path=手册,终.pdf", "\"corpus.path='手册,终.pdf'\""),
    # Files of a group.
    ("model=BAAI/bge-small-en", "'model=bge_small'"),
    ("model=BAAI/bge-small-en", "model.id=HUB_ID"),
    ("model=sentence-transformers/all-MiniLM-L6-v2", "'model=minilm'"),
    ("model=all-MiniLM-L6-v2", "'model=minilm'"),
    ("model=mine/tuned", "model.id=mine/tuned"),
    ("model=./outputs/model", "model.path=./outputs/model"),
    ("model=bge-small", "Did you mean 'bge_small'?"),
    ("model=bge_smal", "Did you mean 'bge_small'?"),
    ("model=minilm.yaml", "Did you mean 'minilm'?"),
    ("model=minilm,bge_small", "add -m"),
    ("model=[minilm]", "several make a sweep"),
    ("model=", "model= is empty"),
    ("model=schema", "Choices: "),
    ("-m model=minilm,bge_smal", "Did you mean 'bge_small'?"),
    ("-m 'model=glob(zz*)'", "matches no file"),
    ("corpus=null", "The default is corpus=python_reference"),
    ("corpus=handbook.pdf", "corpus.path=handbook.pdf"),
    ("dataset=train.json", "dataset=llama_index dataset.train=train.json"),
    ("tracking=off", "Did you mean 'local'?"),
    ("tracking=false", "Did you mean 'local'?"),
    ("training=null", "Did you mean 'none'?"),
    ("questions=gpt-4o", "questions=openai questions.model=gpt-4o"),
    ("experiment=nvidia", "Did you mean 'nvidia_10k'?"),
    ("training={epochs:3}", "is unknown"),
    ("model.endpoint=x", "keys of its own"),
    # References that lead nowhere.
    ("seed=${nothing}", "'nothing' not found"),
    ("corpus.path=${oc.env:EMBFT_NO_SUCH_VARIABLE}", "'EMBFT_NO_SUCH_VARIABLE' not found"),
    ("training.epochs=${training}", "training.epochs"),
    ("'corpus.path=${unclosed'", "corpus.path"),
    ("hydra.run.dir=${nothing}", "'nothing' not found"),
    # Hydra's own.
    ("hydra.run.dir=", "hydra.run.dir is empty"),
    ("hydra.run.dir=a,b", "\"hydra.run.dir='a,b'\""),
    ("hydra.foo=1", "hydra.foo"),
    ("hydra.run.dir=/dev/null/x", "/dev/null"),
    ("hydra/launcher=nothing", "hydra/launcher=nothing is not installed"),
    ("hydra/sweeper=nothing", "hydra/sweeper=nothing is not installed"),
    ("hydra.job.chdir=x", "hydra.job.chdir"),
    # Given, and read by nobody.
    ("corpus=python_reference corpus.path=handbook.pdf", "Add corpus=files"),
    ("dataset=beir dataset.path=d corpus.path=handbook.pdf", "corpus.path is given and would not be used"),
    ("dataset=beir dataset.path=d corpus=files", "corpus is given and would not be used"),
    (f"{BEIR} questions.per_chunk=3", "questions.per_chunk is given and would not be used"),
    (f"{BEIR} questions=openai", "questions is given and would not be used"),
    ("dataset=beir dataset.path=d dataset.split=documents", "dataset.split is given and would not be used"),
    ("dataset=llama_index dataset.train=a dataset.dev=b dataset.test=c dataset.dev_fraction=0.1", "dataset.dev_fraction is"),
    ("dataset.train=a.json", "Add dataset=llama_index"),
    ("dataset.path=d", "Add dataset=beir"),
    ("dataset.train_pages=90", "Add dataset.split=article"),
    ("retrieval=truncate retrieval.window_tokens=64", "Add retrieval=windows"),
    ("retrieval=truncate retrieval.window_overlap=8", "retrieval.window_overlap is given and would not be used"),
    ("training.lora_rank=8", "Add training=lora"),
    ("training.guide=folder", "Add training.loss=gist"),
    ("training.guide_margin=0.1", "Add training.loss=gist"),
    ("training.teacher=folder", "Add training.loss=distillation"),
    ("training.negative_margin=0.9", "training.negative_margin is given and would not be used"),
    ("training.positives=window", "training.positives is given and would not be used"),
    ("training=adapter training.dropout=0.1", "training.dropout is given and would not be used"),
    ("training=none evaluation=base_only training.epochs=3", "training.epochs is given and would not be used"),
    ("training=none evaluation=base_only evaluation.general=d", "evaluation.general"),
    ("questions.model=gpt-4o", "Add questions=openai"),
    ("questions.base_url=http://localhost/v1", "Add questions=openai"),
    ("questions.types=[fact]", "an LLM that writes questions"),
    ("questions=openai questions.poll_seconds=3", "Add questions=openai_batch"),
    ("evaluation.openai.base_url=http://localhost/v1", "Add evaluation=openai"),
    ("model.endpoint.model=x", "Add model=openai"),
    ("model.path=d model.id=a/b", "model.id is given and would not be used"),
    ("model=openai training=adapter training.device=cpu", "training.device is given and would not be used"),
    ("'evaluation.systems=[base,tuned]' retrieval.bm25_k1=1", "retrieval.bm25_k1 is given and would not be used"),
    ("tracking=local tracking.project=mine", "Add tracking=wandb"),
    ("-m training=default,matryoshka training.lora_rank=4,8", "training.lora_rank is given and would not be used"),
    # What cannot go together, and secrets.
    ("corpus=files", "corpus.path=FILE"),
    ("questions=openai questions.api_key_env=sk-abc-123", "not the name of an environment variable"),
    ("questions=openai questions.base_url=http://me:word@host/v1", "name or password"),
    ("retrieval.window_overlap=96", "must be smaller than"),
]  # fmt: skip

TAKEN: list[tuple[str, str]] = [
    # Text is taken as it was typed.
    ("corpus.path=手册.md", "corpus.path='手册.md'"),
    ("corpus.path=a=b.md", "corpus.path='a=b.md'"),
    ("'corpus.path=docs (1).md'", "corpus.path='docs (1).md'"),
    ("'corpus.path=docs(1).md'", "corpus.path='docs(1).md'"),
    ("'corpus.path=(1).md'", "corpus.path='(1).md'"),
    ("'corpus.path=a #1.md'", "corpus.path='a #1.md'"),
    ("'corpus.path=my docs/a b.md'", "corpus.path=my docs/a b.md"),
    ('"corpus.path=it\'s.md"', 'corpus.path="it\'s.md"'),
    ("'corpus.path=[1].md'", "corpus.path='[1].md'"),
    ("'corpus.path={a}.md'", "corpus.path='{a}.md'"),
    ("'corpus.path=docs/**/*.md'", "corpus.path=docs/**/*.md"),
    ("'corpus.path=~/docs'", "corpus.path='~/docs'"),
    ("'corpus.path=a&b;c!.md'", "corpus.path='a&b;c!.md'"),
    ("corpus.path=1_000", "corpus.path='1_000'"),
    ("corpus.path=true", "corpus.path='true'"),
    ("corpus.path=1e3", "corpus.path='1e3'"),
    ("corpus.path=inf", "corpus.path='inf'"),
    ("corpus.path=Bücher/é.md", "corpus.path='Bücher/é.md'"),
    ('"corpus.path=\'a,b.md\'"', "corpus.path='a,b.md'"),
    ("'model.query_prompt=query: '", "model.query_prompt=query: "),
    ("model.query_prompt=为这个句子：", "model.query_prompt='为这个句子：'"),
    ("hydra.run.dir=结果", "hydra.run.dir='结果'"),
    ("hydra.run.dir=a=b", "hydra.run.dir='a=b'"),
    # Dashes, spaces, options anywhere.
    ("--seed=3", "seed=3"),
    ("--training.batch-size=8", "training.batch_size=8"),
    ("--model=minilm", "model=minilm"),
    ("seed = 3", "seed=3"),
    ("seed= 3", "seed=3"),
    ("seed =3", "seed=3"),
    ("seed=1 -m training.epochs=1,2", "training.epochs=1,2"),
    ("++training.epochs=3", "++training.epochs=3"),
    # A value that one job of a sweep reads is used.
    ("-m training=default,lora training.lora_rank=4,8", "training.lora_rank=4,8"),
    ("-m dataset=beir,generated dataset.path=d", "dataset.path=d"),
    ("-m 'model=glob(bge_small*)'", "model=glob(bge_small*)"),
    ("-m 'seed=range(1,4)' 'training.learning_rate=interval(1e-5,1e-4)'", "seed=range(1,4)"),
    ("-m evaluation.systems=[base,tuned],[bm25,base,tuned]", "evaluation.systems=[base,tuned],[bm25,base,tuned]"),
    ("questions=openai questions.dry_run=true questions.max_cost_usd=5", "questions.max_cost_usd=5"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "words"), REFUSED, ids=[line for line, _ in REFUSED])
def test_a_mistake_is_explained(line: str, words: str) -> None:
    problems = checked(line).problems
    text = "\n".join(problems)
    assert words in text
    for jargon in (
        "Traceback",
        "LexerNoViableAlt",
        "mismatched input",
        "extraneous input",
        "hydra.cc",
        "$VALUE",
        "omegaconf.",
    ):
        assert jargon not in text
    assert all("\n" not in problem for problem in problems)
    assert "sk-abc-123" not in text


@pytest.mark.parametrize(("line", "override"), TAKEN, ids=[line for line, _ in TAKEN])
def test_what_is_clear_is_taken(line: str, override: str) -> None:
    found = checked(line)
    assert found.problems == []
    assert override in found.overrides


def test_there_are_enough_of_them() -> None:
    assert len(REFUSED) + len(TAKEN) >= 150


def test_every_suggestion_can_be_typed() -> None:
    """A quoted command in a message is itself without the mistake."""
    for line, _ in REFUSED:
        for problem in checked(line).problems:
            for part in problem.split('"')[1::2]:
                if "=" in part:
                    sweep = line.startswith("-m ") or problem.partition(part)[0].endswith('-m "')
                    fine = checked(f"{'-m ' if sweep else ''}{shlex.quote(part)}")
                    assert "holds a comma" not in str(fine.problems)
                    assert "not a list" not in str(fine.problems)


def test_a_path_to_documents_says_which_corpus_is_meant() -> None:
    found = checked("corpus.path=handbook.pdf")
    assert found.notices == ["corpus.path is given, so corpus=files is taken."]
    assert [config.corpus.kind for config in found.configs] == ["files"]
    assert checked("experiment=nvidia_10k corpus.path=10k.pdf").configs[0].corpus.kind == "nvidia_10k"


def test_values_arrive_as_they_were_typed() -> None:
    for text in ("手册.md", "a=b", "(1)", "it's", 'say "x".md', "C:\\docs\\a.md", "a'b\"c.md", "100%", "x\\'y.md"):
        [config] = checked(shlex.quote(f"corpus.path={text}")).configs
        assert config.corpus.path == text


def test_a_folder_of_the_user_is_looked_through_in_a_sweep_too(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text("defaults: [schema]\nname: mine\npath: somewhere\n", encoding="utf-8")
    for line in (
        f"-m --config-dir {tmp_path} model=mine,minilm",
        f"-m model=mine,minilm 'hydra.searchpath=[file://{tmp_path}]'",
    ):
        found = checked(line)
        assert found.problems == []
        assert [config.model.name for config in found.configs] == ["mine", "minilm"]


def test_all_options_are_passed_on() -> None:
    for line in (
        "--cfg job -p model",
        "-m seed=1,2",
        "--info plugins",
        "-cn config",
        "--config-path configs",
        "--hydra-help",
    ):
        arguments = read_arguments(shlex.split(line))
        again = get_args_parser().parse_args([*arguments.overrides, *arguments.options])
        assert again == arguments.parsed


TYPED: list[tuple[str, int, str]] = [
    ("--version", 0, "embft "),
    ("-c job training.epochs=3 -p training", 0, "epochs: 3"),
    ("model=bge_smal --training.epochs=abc lr=3", 2, "3 problems in the configuration"),
    ("--config-name nothing", 2, "nothing"),
    ("-m hydra/sweeper=optuna seed=1,2", 2, "hydra/sweeper=optuna"),
    ("hydra.job.env_copy=[NO_SUCH_VARIABLE]", 2, "NO_SUCH_VARIABLE"),
    ("hydra.job_logging.root.level=NOPE hydra.run.dir=here", 2, "NOPE"),
    ("hydra.run.dir=finished", 1, "holds a run already"),
    ("-m hydra.sweep.dir=. hydra.sweep.subdir=finished", 1, "holds a run already"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "status", "words"), TYPED, ids=[line for line, _, _ in TYPED])
def test_typed_for_real(line: str, status: int, words: str, tmp_path: Path) -> None:
    (tmp_path / "finished").mkdir()
    (tmp_path / "finished" / "status.json").write_text('{"status": "ok"}', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *shlex.split(line)],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stderr[-2000:]
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_reader_that_has_seen_enough_ends_it_quietly(tmp_path: Path) -> None:
    for line in ("--help", "--cfg job"):
        command = f"set -o pipefail; {sys.executable} {ROOT / 'run.py'} {line} | head -n 0; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        assert done.stdout.strip() in {"0", "141"}
