"""A sweep that is killed at random and started again, against the same one unbroken: with any launcher, or by Optuna.

    python benchmarks/sweep_kills.py --launcher joblib --kills 10
    python benchmarks/sweep_kills.py --optuna --kills 2 --jobs 20

One job of the sweep is bad. It ends with exit status 1 if the broken sweep differs from the unbroken one, if a stage that jobs
share was built twice, or if there is more than one summary run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
BAD = 100_000
"""Tokens: more than the model has positions for."""


def main() -> int:
    """Runs both sweeps and compares them. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--launcher", default="basic", help="basic, joblib, submitit_local or ray")
    parser.add_argument("--optuna", action="store_true", help="Optuna chooses the jobs")
    parser.add_argument("--jobs", type=int, default=12)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills")
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="sweep_kills."))
    from small_run import save_model, write_questions

    save_model(place / "tiny")
    shared = [
        *write_questions(place / "data"), f"model.path={place / 'tiny'}", "tracking.mode=offline", "training=none",
        "evaluation=base_only", "evaluation.systems=[bm25,base]", "evaluation.resamples=100", "dataset.dev_fraction=0.4",
    ]  # fmt: skip
    values = ",".join(map(str, [*range(8, 8 + options.jobs - 1), BAD]))
    swept = [f"model.max_seq_length={values}"]
    if options.launcher != "basic":
        swept.append(f"hydra/launcher={options.launcher}")
    if options.optuna:
        swept = [
            "hydra/sweeper=optuna", f"hydra.sweeper.n_trials={options.jobs}", "retrieval.bm25_k1=interval(0.2,3)",
            f"model.max_seq_length=choice(8,9,10,11,12,14,16,20,{BAD})",
        ]  # fmt: skip

    def command(name: str) -> list[str]:
        words = [*shared, *swept, f"cache_dir={place / name}.cache", f"hydra.sweep.dir={place / name}"]
        return [sys.executable, str(ROOT / "run.py"), "-m", *words]

    started = time.time()
    print(f"{place}: unbroken: exit status {run(command('whole'), place / 'whole.log')}", flush=True)
    seconds = time.time() - started
    draw = random.Random(options.seed)
    for number in range(options.kills):
        at = draw.uniform(0.15, 0.9) * seconds
        ended = run(command("broken"), place / "broken.log", kill_after=at)
        print(
            f"kill {number + 1} after {at:.0f} s: {ended}, {count_finished(place / 'broken')} jobs finished", flush=True
        )
    print(f"to the end: exit status {run(command('broken'), place / 'broken.log')}", flush=True)
    faults = [*built_twice(place / "whole"), *differences(place / "whole", place / "broken")]
    for name in ("whole", "broken"):
        if (log := (place / f"{name}.log").read_text(encoding="utf-8")).count("Traceback"):
            faults.append(f"{name}: {log.count('Traceback')} tracebacks")
        if (count := summaries(place / name)) != 1:
            faults.append(f"{name}: {count} summary runs")
    print("\n".join(faults) if faults else f"equal: {count_finished(place / 'broken')} jobs, one summary run each")
    return 1 if faults else 0


def run(command: list[str], log: Path, kill_after: float | None = None) -> int | str:
    """Runs a command; kills it with all its processes where it lives too long."""
    with log.open("a", encoding="utf-8") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=log.parent)
        try:
            return process.wait(kill_after)
        except subprocess.TimeoutExpired:
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            for member in family:
                try:
                    member.kill()
                except psutil.NoSuchProcess:
                    continue
            process.wait()
            return "killed"


def jobs_of(sweep: Path) -> dict[str, Path]:
    """Its job folders by name."""
    return {path.parent.name: path.parent for path in sorted(sweep.glob("*/status.json"))}


def count_finished(sweep: Path) -> int:
    """How many jobs ended well."""
    states = [json.loads((folder / "status.json").read_text(encoding="utf-8")) for folder in jobs_of(sweep).values()]
    return sum(state["status"] == "ok" for state in states)


def figures(folder: Path) -> Any:
    """What must not depend on kills: a finished job's figures, another one's error."""
    status = json.loads((folder / "status.json").read_text(encoding="utf-8"))
    if status["status"] != "ok":
        return status["status"], status.get("error")
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    systems = {
        name: {key: value for key, value in system.items() if key != "costs"}
        for name, system in metrics["systems"].items()
    }
    return systems, metrics["comparisons"], metrics["objective"], status["overrides"]


def differences(whole: Path, broken: Path) -> list[str]:
    """Jobs that are not there, or have other figures."""
    first, second = jobs_of(whole), jobs_of(broken)
    faults = [f"job {name} is in one sweep alone" for name in sorted(first.keys() ^ second.keys())]
    both = first.keys() & second.keys()
    return faults + [f"job {name} differs" for name in sorted(both) if not same(first[name], second[name])]


def same(first: Path, second: Path) -> bool:
    """Whether two jobs came out alike, but for the names of the sweeps."""
    texts = [json.dumps(figures(folder)).replace(str(folder.parent), "SWEEP") for folder in (first, second)]
    return texts[0].replace(f"{first.parent}.cache", "") == texts[1].replace(f"{second.parent}.cache", "")


def built_twice(sweep: Path) -> list[str]:
    """Stages that more than one job built, though they share it."""
    built: Counter[tuple[str, str]] = Counter()
    for folder in jobs_of(sweep).values():
        if (folder / "metrics.json").is_file():
            timings = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["timings"]
            stages = json.loads((folder / "made_from.json").read_text(encoding="utf-8"))["stages"]
            built.update((name, stages[name][0]) for name in stages if name in timings and not timings[name]["cached"])
    return [f"stage {name} {key} was built {count} times" for (name, key), count in built.items() if count > 1]


def summaries(sweep: Path) -> int:
    """Summary runs that were tracked for the sweep as a whole."""
    return len(list((sweep / "wandb").glob("offline-run-*")))


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    sys.exit(main())
