"""People's questions about research articles: the whole of embft, without an LLM, on COVID-QA.

    python benchmarks/bench_covid_qa.py --clones DIR [--recipe NAME "OVERRIDE ..."]...

Möller et al., "COVID-QA: A Question Answering Dataset for COVID-19", NLP-COVID19 at ACL 2020: biomedical experts asked what
articles answer, and marked the answers. Of its 98 articles those with the most questions are read; chunks are embft's, and the
answers are the evidence that maps a question to them. Nothing of it is kept here: what is missing in DIR is cloned from GitHub,
and the pinned commit is read. Without --clones there is nothing to run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from report import machine, write_result

ROOT = Path(__file__).resolve().parents[1]
REPOSITORY, COMMIT = "deepset-ai/COVID-QA", "fb2eb5e249618457e5359806601086c635c8eb8f"
FILE = "data/question-answering/200423_covidQA.json"
ARTICLES = 38
_SHORTEST = 15
"""Characters of an answer that is evidence by itself; a shorter one, such as a number, is taken with what is around it."""
SYSTEMS = ("bm25", "base", "tuned", "fused")
METRICS = ("hit_rate@5", "ndcg@10")


def main() -> int:
    """Runs every recipe, writes results/covid_qa.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clones", type=Path, help="folder of clones; what is missing is cloned from GitHub")
    parser.add_argument("--work", type=Path, default=Path("outputs/benchmarks/covid_qa"))
    parser.add_argument("--recipe", nargs=2, action="append", default=[], metavar=("NAME", "OVERRIDES"))
    options = parser.parse_args()
    if options.clones is None:
        print("Nothing to run: --clones says where the clone of COVID-QA lies, or shall lie.")
        return 0
    work = options.work.absolute()
    prepare(options.clones.absolute(), work / "data")
    runs = {name: run_of(name, overrides.split(), work) for name, overrides in [("default", ""), *options.recipe]}
    asked = runs["default"]["dataset"]["questions"]
    searched = runs["default"]["dataset"]["searched"]["test"]
    lines = [
        "# People's questions about research articles",
        "",
        f"COVID-QA, {ARTICLES} articles: {asked['test']:,} test questions search {searched:,} chunks; {asked['dev']:,} dev "
        "questions. No train question is a person's: without an LLM windows of the train chunks ask for their neighbours. "
        f"all-MiniLM-L6-v2. {machine()}.",
        "",
        "| recipe | system | hit rate@5, 95% | nDCG@10, 95% | less base's |",
        "| --- | --- | ---: | ---: | --- |",
    ]
    shown = [
        (name, system) for name in runs for system in SYSTEMS if name == "default" or is_new(system, runs[name], runs)
    ]
    lines += [row(name, runs[name], system) for name, system in shown]
    write_result("covid_qa", "\n".join(lines))
    return 0


def prepare(clones: Path, folder: Path) -> None:
    """Writes the articles as text files and the questions as `questions.human` wants them."""
    clone = clones / REPOSITORY.replace("/", "+")
    if not clone.exists():
        subprocess.run(["git", "clone", "--quiet", f"https://github.com/{REPOSITORY}", clone], check=True)
    shown = subprocess.run(["git", "-C", clone, "show", f"{COMMIT}:{FILE}"], check=True, capture_output=True).stdout
    articles = [paragraph for entry in json.loads(shown)["data"] for paragraph in entry["paragraphs"]]
    articles.sort(key=lambda article: -len(article["qas"]))
    (folder / "articles").mkdir(parents=True, exist_ok=True)
    rows = []
    for number, article in enumerate(articles[:ARTICLES]):
        text = article["context"]
        (folder / "articles" / f"{number:03d}.txt").write_text(text, encoding="utf-8")
        for question in {qa["question"].strip(): qa for qa in article["qas"]}.values():
            evidence = evidence_of(text, question["answers"][0])
            rows.append(json.dumps({"question": question["question"].strip(), "evidence": evidence}))
    (folder / "questions.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")


def evidence_of(text: str, answer: Mapping[str, Any]) -> str:
    """The marked answer, with what is around it where it is short."""
    start, end = answer["answer_start"], answer["answer_start"] + len(answer["text"])
    if end - start < _SHORTEST:
        start, end = max(0, start - 2 * _SHORTEST), end + 2 * _SHORTEST
    return " ".join(text[start:end].split())


def run_of(name: str, overrides: list[str], work: Path) -> dict[str, Any]:
    """metrics.json of a recipe's run; a run that is there is not run again."""
    folder = work / name
    if not (folder / "metrics.json").is_file():
        command = [
            "run.py", "corpus=files", f"corpus.path={work / 'data' / 'articles'}",
            f"questions.human={work / 'data' / 'questions.jsonl'}", "retrieval.precision=auto", "tracking=local",
            f"cache_dir={work / 'cache'}", f"hydra.run.dir={folder}", *overrides,
        ]  # fmt: skip
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return metrics


def is_new(system: str, metrics: dict[str, Any], runs: dict[str, dict[str, Any]]) -> bool:
    """Whether a recipe gives other figures for a system than the default does."""
    return any(metrics["systems"][system][metric] != runs["default"]["systems"][system][metric] for metric in METRICS)


def row(name: str, metrics: dict[str, Any], system: str) -> str:
    """A system's line."""
    figures = metrics["systems"][system]
    cells = [
        f"{figures[metric]:.3f} [{figures['intervals'][metric][0]:.3f}, {figures['intervals'][metric][1]:.3f}]"
        for metric in METRICS
    ]
    (against,) = [
        f"{found['delta']:+.3f} [{found['ci95'][0]:+.3f}, {found['ci95'][1]:+.3f}]"
        for found in metrics["comparisons"]
        if (found["system"], found["baseline"], found["metric"]) == (system, "base", "ndcg@10")
    ] or [""]
    return f"| {name} | {system} | {' | '.join(cells)} | {against} |"


if __name__ == "__main__":
    sys.exit(main())
