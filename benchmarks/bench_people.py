"""What to ship for questions that people asked: every system, the default settings, five collections.

    python benchmarks/bench_people.py --data DIR --clones DIR [--only python cisi ...]

The Python reference (carried by embft), CISI and CACM (BEIR folders in --data), COVID-QA and CMRC 2018 (cloned into --clones
where they are missing; pinned commits are read). No question of a person trains: windows of chunks that no test question is about
ask for their neighbours. English: all-MiniLM-L6-v2; CMRC 2018: multilingual-e5-small (`make e5`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bench_covid_qa
from report import machine, write_result

ROOT = Path(__file__).resolve().parents[1]
CMRC, CMRC_COMMIT = "ymcui/cmrc2018", "c0eb1b6ba219847457e6af3180da722bbeb656af"
CMRC_FILE = "squad-style-data/cmrc2018_dev.json"
CMRC_PASSAGES = 300
SYSTEMS = ("bm25", "base", "tuned", "fused")


@dataclass(frozen=True)
class Places:
    """Where things are: the BEIR folders, the clones, and where runs go."""

    data: Path
    clones: Path
    work: Path


def python_reference(places: Places) -> list[str]:
    """The default run."""
    return []


def beir(name: str) -> Callable[[Places], list[str]]:
    """A BEIR folder of ``--data``."""
    return lambda places: ["dataset=beir", f"dataset.path={places.data / name}"]


def covid_qa(places: Places) -> list[str]:
    """COVID-QA, as in bench_covid_qa.py."""
    folder = places.work / "covid_qa_data"
    bench_covid_qa.prepare(places.clones, folder)
    return ["corpus=files", f"corpus.path={folder / 'articles'}", f"questions.human={folder / 'questions.jsonl'}"]


def cmrc_2018(places: Places) -> list[str]:
    """Cui et al., "A Span-Extraction Dataset for Chinese Machine Reading Comprehension", EMNLP 2019: its dev set."""
    clone = places.clones / CMRC.replace("/", "+")
    if not clone.exists():
        subprocess.run(["git", "clone", "--quiet", f"https://github.com/{CMRC}", clone], check=True)
    shown = subprocess.run(["git", "-C", clone, "show", f"{CMRC_COMMIT}:{CMRC_FILE}"], check=True, capture_output=True)
    paragraphs = [one for entry in json.loads(shown.stdout)["data"] for one in entry["paragraphs"]][:CMRC_PASSAGES]
    folder = places.work / "cmrc_2018_data"
    (folder / "articles").mkdir(parents=True, exist_ok=True)
    rows = []
    for number, paragraph in enumerate(paragraphs):
        (folder / "articles" / f"{number:04d}.txt").write_text(paragraph["context"], encoding="utf-8")
        for qa in paragraph["qas"]:
            start, text = qa["answers"][0]["answer_start"], paragraph["context"]
            # What is around a short answer says which of its places in the text is meant.
            evidence = text[max(0, start - 10) : start + len(qa["answers"][0]["text"]) + 10]
            rows.append(json.dumps({"question": qa["question"], "evidence": evidence}, ensure_ascii=False))
    (folder / "questions.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return [
        "corpus=files", f"corpus.path={folder / 'articles'}", f"questions.human={folder / 'questions.jsonl'}", "model=e5_small",
    ]  # fmt: skip


COLLECTIONS: dict[str, tuple[str, Callable[[Places], list[str]]]] = {
    "python": ("Python reference", python_reference),
    "cisi": ("CISI", beir("cisi")),
    "cacm": ("CACM", beir("cacm")),
    "covid_qa": ("COVID-QA, 38 articles", covid_qa),
    "cmrc_2018": (f"CMRC 2018, {CMRC_PASSAGES} passages (Chinese)", cmrc_2018),
}


def main() -> int:
    """Runs what has not run, writes results/people.md from all runs that are there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with the BEIR folders cisi and cacm")
    parser.add_argument("--clones", type=Path, help="folder of clones; what is missing is cloned from GitHub")
    parser.add_argument("--work", type=Path, default=Path("outputs/benchmarks/people"))
    parser.add_argument("--only", nargs="+", choices=COLLECTIONS, default=list(COLLECTIONS))
    parser.add_argument(
        "--table-only", action="store_true", help="run nothing, write the table of the runs that are there"
    )
    options = parser.parse_args()
    if options.data is None or options.clones is None:
        print("Nothing to run: --data and --clones say where the collections lie.")
        return 0
    places = Places(options.data.absolute(), options.clones.absolute(), options.work.absolute())
    for name in [] if options.table_only else options.only:
        run(name, COLLECTIONS[name][1](places), places.work)
    finished = [name for name in COLLECTIONS if (places.work / name / "metrics.json").is_file()]
    lines = [
        "# Questions that people asked",
        "",
        "Default settings, no LLM; nDCG@10 on test with 95% intervals. Shipped: what the verdict names, and what choosing it is "
        f"expected to cost against the best of the four. {machine()}.",
        "",
        "| collection | test questions | chunks | BM25 | base | tuned | fused | shipped |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
        *(
            row(name, json.loads((places.work / name / "metrics.json").read_text(encoding="utf-8")))
            for name in finished
        ),
    ]
    write_result("people", "\n".join(lines))
    return 0


def run(name: str, overrides: list[str], work: Path) -> None:
    """One collection; a run that is there is not run again."""
    folder = work / name
    if (folder / "metrics.json").is_file():
        return
    command = ["run.py", *overrides, "tracking=local", f"cache_dir={work / 'cache'}", f"hydra.run.dir={folder}"]
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def row(name: str, metrics: dict[str, Any]) -> str:
    """A collection's line."""
    cells = [
        f"{figures['ndcg@10']:.3f} [{figures['intervals']['ndcg@10'][0]:.3f}, {figures['intervals']['ndcg@10'][1]:.3f}]"
        if (figures := metrics["systems"].get(system))
        else "–"
        for system in SYSTEMS
    ]
    verdict = metrics["verdict"]
    shipped = verdict["meanwhile"] or verdict["decision"]
    loss = verdict["expected_loss"].get(shipped)
    cost = "" if loss is None else f", {100 * loss:.1f} points"
    questions, chunks = metrics["dataset"]["questions"]["test"], metrics["dataset"]["searched"]["test"]
    return f"| {COLLECTIONS[name][0]} | {questions:,} | {chunks:,} | {' | '.join(cells)} | {shipped}{cost} |"


if __name__ == "__main__":
    sys.exit(main())
