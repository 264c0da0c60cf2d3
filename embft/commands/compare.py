"""Lists runs and sweeps side by side: what differs, every system with its interval, what failed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from embft.errors import EmbftError, RunError, in_words
from embft.evaluation.names import LABELS
from embft.reporting.alike import fair_metric
from embft.reporting.compare import print_comparison, write_csv
from embft.reporting.jobs import checked_system, collect, named


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line. Returns 0, also where jobs failed (they are listed), and 2 for a mistake in it."""
    parser = argparse.ArgumentParser(
        description="Lists runs and sweeps side by side: what differs, every system with its interval, what failed."
    )
    parser.add_argument(
        "folders", nargs="+", type=Path, metavar="FOLDER", help="a run's folder, a sweep's, or one above"
    )
    parser.add_argument(
        "--metric", choices=list(LABELS), help="what is compared (default: ndcg@10, or answer@1024 where chunks differ)"
    )
    parser.add_argument("--system", help="whose dev figure marks the best job (default: tuned, where there is one)")
    parser.add_argument("--baseline", help="what the system is compared to (default: base, where there is one)")
    parser.add_argument(
        "--against", metavar="JOB", help="for --html: a job that all others are compared to, question by question"
    )
    parser.add_argument("--sort", action="store_true", help="best on dev first, instead of the jobs' own order")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write every figure of every job, not rounded")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write the comparison as one page")
    options = parser.parse_args(arguments)
    try:
        jobs = collect(options.folders)
        for name in ("system", "baseline"):
            if getattr(options, name):
                checked_system(getattr(options, name), jobs, f"--{name}")
        for file in (options.csv, options.html):
            if file and (file.is_dir() or not file.parent.is_dir()):
                raise RunError(
                    f"{file} cannot be written: {'it is a folder' if file.is_dir() else 'its folder is missing'}."
                )
        against = named(jobs, options.against, "--against") if options.against else None
        if against and not options.html:
            raise RunError("--against needs --html FILE: the comparison of jobs is on the page.")
        system, baseline = options.system or "tuned", options.baseline or "base"
        metric = options.metric or fair_metric(jobs, "ndcg@10")
        jobs = print_comparison(options.folders, metric, system, baseline, sort=options.sort)
        if options.csv:
            write_csv(options.csv, jobs, baseline)
        if options.html:
            chosen = named(jobs, options.against, "--against") if against else None  # print_comparison read them anew
            from embft.reporting.page import write_page  # needs numpy, which takes longer than all else here

            write_page(options.html, jobs, metric, baseline, system, chosen)
    except EmbftError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        raise  # whoever reads the output has seen enough
    except OSError as error:
        print(f"compare: {in_words(error)}", file=sys.stderr)
        return 2
    return 0
