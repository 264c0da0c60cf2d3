"""What a sweep would do, before it starts: its jobs, the stages that they share, and roughly how long, how much, how large."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from rich import box
from rich.console import Console
from rich.table import Table

from embft.config import ExperimentConfig, register
from embft.config.arguments import read_arguments
from embft.config.command_line import check_line
from embft.config.composing import CONFIG_DIR, as_config, config_tree
from embft.errors import ConfigError, EmbftError
from embft.files import digest, read_json
from embft.progress import duration
from embft.stages import RECORD
from embft.steps.planning import StagePlan, plan_stages

_SHOWN = 20
"""Jobs that are listed."""
_NEWEST = 20
"""Earlier results of a stage by which a new one is judged."""
_HELP = """\
usage: plan.py -m KEY=A,B ...

Says what a command line of run.py would do, without doing it: which jobs, which stages they share, and roughly how
long it takes, what it costs, and how much room it needs. Times and sizes are those of earlier results in cache_dir;
with an LLM, documents are read, and its price is that of questions.dry_run=true.
"""


@dataclass(frozen=True)
class _Past:
    """What earlier results of a stage took: the median, in seconds and bytes; None where there are none."""

    seconds: float | None
    size: float | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line. Returns 0, and 2 for a mistake in it."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words in (["-h"], ["--help"]):
        print(_HELP, end="")
        return 0
    register()
    try:
        jobs = _jobs(words)
        configs = [config for _, config in jobs]
        _print_jobs([overrides for overrides, _ in jobs])
        _print_stages(plan_stages(configs), Path(configs[0].cache_dir).expanduser(), len(configs))
        print(_money(configs))
    except EmbftError as error:
        print(f"plan: {error}", file=sys.stderr)
        return 2
    return 0


def _jobs(words: Sequence[str]) -> list[tuple[list[str], ExperimentConfig]]:
    """The overrides of each job, and what it would run.

    Raises:
        ConfigError: The command line is wrong, or a sweeper chooses the jobs while it works.
    """
    given = read_arguments(words)
    tree = config_tree(CONFIG_DIR, given.parsed.config_name or "config", given.parsed.config_dir)
    checked = check_line(given.overrides, tree, sweep=given.is_sweep)
    if checked.problems:
        raise ConfigError(checked.problems)
    own = [one for one in checked.overrides if not one.startswith("hydra")]
    if any(one.startswith("hydra/sweeper=") for one in checked.overrides):
        raise ConfigError(["This sweeper chooses its jobs while it works. Plan one of them: leave hydra/sweeper out."])
    rows = [own]
    if given.is_sweep:
        parsed = OverridesParser.create().parse_overrides(own)
        rows = [list(row) for batch in BasicSweeper.split_arguments(parsed, None) for row in batch]
    return [(row, as_config(tree.compose(row).experiment)) for row in rows]


def _print_jobs(rows: Sequence[Sequence[str]]) -> None:
    common = set.intersection(*(set(row) for row in rows))
    print(f"{len(rows)} job{'s' * (len(rows) > 1)}")
    for number, row in enumerate(rows[:_SHOWN]):
        print(f"  {number}: {' '.join(one for one in row if one not in common) or 'as it stands'}")
    if len(rows) > _SHOWN:
        print(f"  and {len(rows) - _SHOWN} more")


def _print_stages(plans: Sequence[StagePlan], cache: Path, jobs: int) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("stage")
    for head in ("jobs", "results", "each", "all", "disk"):
        table.add_column(head, justify="right")
    seconds, size, unknown = 0.0, 0.0, []
    for plan in plans:
        past = _past(cache, plan.stage)
        cells = ["?", "?", "?"]
        if past.seconds is None or past.size is None:
            unknown.append(plan.stage)
        else:
            # A tuned model lies in the cache, and in each job's folder.
            copies = plan.results + (plan.jobs if plan.stage == "training" else 0)
            seconds, size = seconds + plan.results * past.seconds, size + copies * past.size
            cells = [duration(past.seconds), duration(plan.results * past.seconds), _megabytes(copies * past.size)]
        table.add_row(plan.stage, str(plan.jobs), str(plan.results), *cells)
    Console(highlight=False).print(table)
    if len(unknown) < len(plans):
        print(
            f"Time: about {duration(seconds)}, one job after the other; disk: about {_megabytes(size)}. Both by the median of "
            f"earlier results in {cache}, whatever their model and corpus; what is there already takes none."
        )
    if unknown:
        print(f"No earlier result in {cache} says how long these take: {', '.join(unknown)}.")


def _past(cache: Path, stage: str) -> _Past:
    records = sorted((cache / "stages" / stage).glob(f"*/{RECORD}"), key=lambda path: path.stat().st_mtime)[-_NEWEST:]
    seconds, sizes = [], []
    for path in records:
        try:
            record = read_json(path)
            seconds.append(float(record["seconds"]))
            sizes.append(sum(int(size) for size, _ in record["files"].values()))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return _Past(statistics.median(seconds), statistics.median(sizes)) if seconds else _Past(None, None)


def _money(configs: Sequence[ExperimentConfig]) -> str:
    """What LLMs and APIs would be paid, in words; the documents are read where an LLM is asked."""
    paid = [
        name
        for name, asked in (
            (
                "embeddings of an API",
                any(one.model.kind == "endpoint" or "openai" in one.evaluation.systems for one in configs),
            ),
            ("an LLM that judges", any(one.evaluation.judge == "llm" for one in configs)),
        )
        if asked
    ]
    besides = f" Not counted: {' and '.join(paid)}." if paid else ""
    asking = {digest(_asking(one)): one for one in configs if _asks_llm(one)}
    if not asking:
        return f"Money: no LLM is asked to write questions.{besides}"
    from embft.questions.budget import read_total
    from embft.steps.corpus import make_corpus
    from embft.steps.estimate import ESTIMATE, estimate_run
    from embft.steps.reading import read_corpus_documents
    from embft.steps.workspace import Workspace

    with tempfile.TemporaryDirectory() as place:
        for number, config in enumerate(asking.values()):
            folder = Path(place, str(number))
            folder.mkdir()
            workspace = Workspace(config, Path(config.cache_dir).expanduser().absolute())
            documents = read_corpus_documents(workspace)
            estimate_run(workspace, documents, make_corpus(workspace, documents), folder)
        files = sorted(Path(place).rglob(ESTIMATE))
        return f"Money: {read_total(files) if files else 'nothing for questions'}{besides}"


def _asks_llm(config: ExperimentConfig) -> bool:
    backends = {config.questions.backend if config.training.enabled else "extractive", config.questions.test.backend}
    return config.dataset.kind == "generated" and (backends != {"extractive"} or config.corpus.context == "llm")


def _asking(config: ExperimentConfig) -> list[object]:
    return [str(config.corpus), str(config.questions), str(config.dataset), config.training.enabled, config.seed]


def _megabytes(count: float) -> str:
    return f"{count / 1e6:,.1f} MB" if count < 1e9 else f"{count / 1e9:,.1f} GB"
