"""What every run imports, loads and works out for itself, so that forks of a process that has it need not: see forks.py."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import embft
from embft.source_code import code_of
from embft.steps.keys import GROUPS_IN_KEY
from embft.text.chinese import jieba
from embft.text.languages import guess

# Modules that have to import nothing heavy import the rest inside functions.
for name in (
    *("accelerate", "bm25s", "datasets", "icu4py", "openai", "peft", "pypdfium2", "scipy.stats", "selectolax.lexbor"),
    *("semantic_text_splitter", "sentence_transformers.sentence_transformer.losses", "sklearn.covariance", "wandb"),
    *("torch.distributed.launcher.api", "transformers.models.bert.modeling_bert", "Stemmer"),
):
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(f"{name} is not imported once for all: {error}", file=sys.stderr)
for module in pkgutil.walk_packages(embft.__path__, "embft."):
    importlib.import_module(module.name)
for stage in GROUPS_IN_KEY:
    if importlib.util.find_spec(f"embft.steps.{stage}"):
        code_of(f"embft.steps.{stage}")
guess("Which language is this? One that is guessed by its letters, und das ist nicht leicht.")
jieba().initialize()
