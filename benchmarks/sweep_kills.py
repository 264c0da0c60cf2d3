"""A sweep that is killed again and again and started again, against the same one unbroken: with any launcher, or by Optuna.

    python benchmarks/sweep_kills.py --launcher joblib --kills 10
    python benchmarks/sweep_kills.py --optuna --kills 2 --jobs 20 --bad

Each kill is SIGKILL to the sweep's process and all that it started, at a random moment of a job that works. Then the sweep is
started to its end, and once more. It ends with exit status 1 if an exit status is wrong, if the broken sweep differs from the
unbroken one, if a stage that jobs share was built twice, if a traceback was printed, or if there is more than one summary run.

Ray listens on every interface, so with it the benchmark goes into a network namespace of its own (as root).
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "runs")]
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "runs")])
_INSIDE = "EMBFT_IN_NAMESPACE"


def main() -> int:
    """Runs both sweeps and compares them. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--launcher", default="basic", help="basic, joblib, submitit_local or ray")
    parser.add_argument("--optuna", action="store_true", help="Optuna chooses the jobs")
    parser.add_argument(
        "--bad", action="store_true", help="one of the jobs fails; with Optuna each that chooses one value"
    )
    parser.add_argument("--jobs", type=int, default=12)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills")
    options = parser.parse_args()
    if options.launcher == "ray" and _INSIDE not in os.environ:
        inside = 'ip link set lo up && exec "$@"'
        command = ["unshare", "--net", "sh", "-c", inside, "sh", sys.executable, *sys.argv]
        os.execvpe("unshare", command, {**os.environ, _INSIDE: "1"})
    from sweeps import Sweep, built_twice, differences, finished, swept

    place = Path(tempfile.mkdtemp(prefix="sk."))
    overrides = swept(options.launcher, options.jobs, bad=options.bad, optuna=options.optuna, place=place)
    wanted = 1 if options.bad else 0
    faults = []

    def to_the_end(name: str) -> None:
        started = time.time()
        done = Sweep(place, name, overrides).wait()
        words = done.stdout + done.stderr
        print(f"{name}: exit status {done.returncode} after {time.time() - started:.0f} s", flush=True)
        if done.returncode != wanted:
            faults.append(f"{name}: exit status {done.returncode}: {words[-2000:]}")
        if "Traceback" in words:
            faults.append(f"{name}: a traceback: {words[-2000:]}")
        count_summaries(name, words)

    def count_summaries(name: str, words: str) -> None:
        summaries[name] += words.count("compare.html") - words.count("there is no further summary run")

    summaries: Counter[str] = Counter()
    to_the_end("whole")
    draw = random.Random(options.seed)
    for number in range(options.kills):
        sweep = Sweep(place, "broken", overrides)
        ended, later = draw.choice([0, 1, 1, 2]), draw.uniform(0, 1)
        alive = sweep.kill(ended, later)
        state = "killed" if alive else "at its end before"
        if not alive:
            count_summaries("broken", sweep.said)
        print(f"kill {number + 1}: {state}, {finished(place / 'broken')} jobs finished", flush=True)
    to_the_end("broken")
    to_the_end("broken")
    faults += [
        *built_twice(place / "whole"),
        *built_twice(place / "broken"),
        *differences(place / "whole", place / "broken"),
    ]
    faults += [f"{name}: {count} summary runs" for name, count in summaries.items() if count != 1]
    print("\n".join(faults) if faults else f"equal: {finished(place / 'broken')} jobs, one summary run each")
    if not faults:
        shutil.rmtree(place)
    return 1 if faults else 0


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    sys.exit(main())
