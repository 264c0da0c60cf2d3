#!/usr/bin/env bash
# Makes benchmarks/.venv-article, where the article's toolkit (llama-index-finetuning, deprecated) still imports.
#
#     benchmarks/setup_article_engine.sh                        # PYTHON=python3.12 names another interpreter
#
# It takes about two minutes and 1.6 GB. The environment is its own: the toolkit wants openai 2 and mistralai 1.
# What trains is the same as in .venv (torch, transformers, sentence-transformers as in constraints.txt).
set -euo pipefail
cd "$(dirname "$0")"

VENV=.venv-article
PIP="$VENV/bin/python -m pip --disable-pip-version-check --quiet install --no-compile"
# constraints.txt cannot be used whole, for its openai and sqlalchemy are others; what trains is taken from it.
trains() { grep -E '^(accelerate|datasets|sentence-transformers|torch|transformers)==' ../constraints.txt; }

"${PYTHON:-python3}" -m venv "$VENV"
# First and alone, so that pip takes the build of torch that is at hand (for CPU) and not gigabytes of CUDA.
$PIP "$(trains | grep '^torch==')"
# mistralai 2 moved the names that llama-index-finetuning imports.
$PIP -r <(trains) llama-index-finetuning==0.4.2 llama-index-core==0.14.25 llama-index-embeddings-huggingface==0.8.0 \
  'mistralai<2'
# -W: the package says on import that it is deprecated, which is known.
"$VENV/bin/python" -W ignore -c 'from llama_index.finetuning import SentenceTransformersFinetuneEngine'
echo "benchmarks/$VENV is ready; see benchmarks/article_engine.py"
