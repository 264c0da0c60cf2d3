"""What ``python run.py --help`` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MEANINGS: Mapping[str, str] = {
    "corpus": "the documents: which files, how they are read, how long chunks are",
    "questions": "who writes the questions: cut out of the text, or an LLM; and a file of people's own",
    "dataset": "how questions become train, dev and test, or a dataset that exists",
    "model": "the embedding model, open weights or an API, and its prompts",
    "training": "the recipe of the fine-tune",
    "retrieval": "how chunks are searched: by windows, by their beginning, by token; BM25's settings",
    "evaluation": "which systems are compared, by which metrics",
    "scale": "which machines embed a large corpus and run a local LLM",
    "tracking": "where figures go besides the run folder",
    "experiment": "a set of overrides with a name",
}
"""One line for each group."""

_HEAD = """\
embft: which retrieval system to ship for your documents, found out on questions held back.

  python run.py                                         the example: Python's own reference
  python run.py corpus.path=handbook.pdf                your documents: a file, a folder or a quoted glob
  python run.py -m training.learning_rate=2e-5,5e-5     a sweep: one run for each value
  python run.py -m model=minilm,bge_small seed=1,2      or for each combination

GROUP=NAME chooses a file of configs/, GROUP.KEY=VALUE sets a value. The first name is the default.
"""
_TAIL = """\
Other values:
  seed=42  cache_dir=outputs/cache  reporting.language=auto|en|zh  hydra.run.dir=FOLDER  hydra.sweep.dir=FOLDER

Options:
  -m, --multirun         a sweep
  -c, --cfg job          print every value, run nothing; GROUP=NAME and GROUP.KEY=VALUE apply
  -i, --info defaults    which file each part comes from
  -cd, --config-dir DIR  look for files of the groups in DIR too
  -cn, --config-name X   another primary configuration than config
  --hydra-help           Hydra's own options
  --version              embft's version, and Hydra's

Exit status: 0 all went well, 1 a run failed, 2 the command line or the configuration is wrong, 130 Ctrl-C, 143 SIGTERM.
Every key with its type, default and limits: docs/reference.md.
"""
_WIDTH = 100


def help_text(options: Mapping[str, Sequence[str]], defaults: Mapping[str, str]) -> str:
    """The whole text.

    Args:
        options: The files of each group.
        defaults: The file of each group that is taken where none is chosen.
    """
    lines = [_HEAD, "Groups:"]
    for group, meaning in MEANINGS.items():
        first = defaults.get(group)
        names = [name for name in options.get(group, ()) if name not in {"schema", first}]
        lines.append(f"  {group:<12}{meaning}")
        lines.extend(_wrapped([first, *names] if first else names))
    return "\n".join([*lines, "", _TAIL])


def _wrapped(names: Sequence[str]) -> list[str]:
    lines, line = [], " " * 14
    for place, name in enumerate(names):
        item = name if place == len(names) - 1 else f"{name}, "
        if len(line) + len(item) > _WIDTH:
            lines.append(line.rstrip())
            line = " " * 14
        line += item
    return [*lines, line]
