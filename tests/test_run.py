"""The whole pipeline as a user runs it: real weights, real text, one small corpus, the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from pydoc_data.topics import topics

import pytest
from forks import in_fork, typed

ROOT = Path(__file__).parents[1]
SENTINEL = "sk-sentinel-must-never-be-written"
TOPICS = (
    "assert", "break", "continue", "del", "exceptions", "for", "global", "if", "import", "lambda", "nonlocal", "pass",
    "raise", "return", "try", "while", "with", "yield",
)  # fmt: skip

pytestmark = pytest.mark.slow


def run(*arguments: str, cwd: Path, fresh: bool = False) -> subprocess.CompletedProcess[str]:
    """Types a command; in a fresh Python, or in a fork that has its imports behind it."""
    secrets = {"WANDB_API_KEY": SENTINEL.rjust(40, "0"), "OPENAI_API_KEY": SENTINEL}
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "WANDB_MODE": "offline", **secrets}
    if not fresh:
        return typed(*arguments, cwd=cwd, environment=environment)
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a small corpus of text files, a human question about each of a few, and room for outputs."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "docs").mkdir()
    for name in TOPICS:
        (folder / "docs" / f"{name}.txt").write_text(topics[name][:2500], encoding="utf-8")
    human = [
        {"question": "make a loop stop early", "evidence": "It terminates the nearest enclosing loop"},
        {"question": "change an outer variable inside a function", "evidence": "nearest enclosing scope"},
        {"question": "placeholder that does nothing", "evidence": "when it is executed, nothing happens"},
        {"question": "a quote nobody wrote", "evidence": "the moon is made of green cheese"},
    ]  # fmt: skip
    lines = "".join(json.dumps(row) + "\n" for row in human)
    (folder / "human.jsonl").write_text(lines, encoding="utf-8")
    return folder


SMALL = [
    "corpus.path=docs", "corpus.chunk_tokens=96", "retrieval.window_tokens=48", "evaluation.resamples=500",
]  # fmt: skip


@pytest.fixture(scope="module")
def first(place) -> tuple[Path, subprocess.CompletedProcess[str]]:
    done = run(*SMALL, "hydra.run.dir=outputs/first", cwd=place, fresh=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return place / "outputs" / "first", done


def metrics_of(folder: Path) -> dict:
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def test_a_run_folder_holds_every_file_of_the_contract(first):
    folder, _ = first
    for name in (
        "config.yaml", "status.json", "metrics.json", "per_query.jsonl", "report.html", "report.md", "dataset/train.json",
        "dataset/dev.json", "dataset/test.json", "model/model.safetensors", "model/README.md",
    ):  # fmt: skip
        assert (folder / name).stat().st_size > 0, name
    assert json.loads((folder / "status.json").read_text())["status"] == "ok"


def test_metrics_have_the_shape_of_the_contract(first):
    metrics = metrics_of(first[0])
    assert (metrics["schema_version"], metrics["status"]) == (1, "ok")
    assert list(metrics["systems"]) == ["bm25", "base", "tuned", "fused"]
    for system, figures in metrics["systems"].items():
        assert len(figures["metrics"]) == (30 if system in {"base", "tuned"} else 15)
        assert figures["hit_rate@5"] == next(v for k, v in figures["metrics"].items() if k.endswith("accuracy@5"))
        low, high = figures["intervals"]["ndcg@10"]
        assert low <= figures["ndcg@10"] <= high
    assert "cosine_accuracy@1" in metrics["systems"]["tuned"]["metrics"]
    assert "dot_map@100" in metrics["systems"]["tuned"]["metrics"]
    pairs = {(row["system"], row["baseline"]) for row in metrics["comparisons"]}
    assert {("tuned", "base"), ("tuned", "bm25"), ("fused", "tuned"), ("fused", "bm25")} <= pairs
    assert list(metrics["timings"]) == [
        "reading", "corpus", "held_back", "questions", "dataset", "training", "ranking", "evaluation", "report",
    ]  # fmt: skip


def test_audits_slices_and_costs_stand_in_metrics_and_report(first):
    metrics, report = metrics_of(first[0]), (first[0] / "report.html").read_text(encoding="utf-8")
    audits = metrics["audits"]
    assert "leaks" in audits["clean"]
    assert audits["power"]["questions"] == metrics["dataset"]["questions"]["test"]
    assert all(row["p_holm"] >= row["p_value"] for row in metrics["comparisons"])
    assert all(
        (row["p_mcnemar"] is not None) == row["metric"].startswith("hit_rate@") for row in metrics["comparisons"]
    )
    assert all(row["questions"] >= 20 for row in metrics["slices"])
    costs = metrics["verdict"]["costs"]
    assert costs["tuned"]["index_bytes"] == costs["tuned"]["vectors"] * 384 * 4
    assert all(0 < found["query_ms"] < 10_000 for found in costs.values())
    for heading in ("What the audits found", "What each system costs", "leaks of train into test"):
        assert heading in report
    assert "can show differences of about" in first[1].stdout + first[1].stderr


def test_a_train_question_about_a_test_chunk_stops_the_run_before_it_is_trained(first, place):
    train, test = (json.loads((first[0] / "dataset" / f"{name}.json").read_text()) for name in ("train", "test"))
    question, chunks = next(iter(test["relevant_docs"].items()))
    train["queries"]["planted"], train["relevant_docs"]["planted"] = "something else", chunks
    train["corpus"] |= {key: test["corpus"][key] for key in chunks}
    (place / "leaky.json").write_text(json.dumps(train), encoding="utf-8")
    dev, held = (str(first[0] / "dataset" / f"{name}.json") for name in ("dev", "test"))
    done = run(
        "dataset=llama_index", "dataset.train=leaky.json", f"dataset.dev={dev}", f"dataset.test={held}", "tracking=local",
        "dataset.leaks=stop", "hydra.run.dir=outputs/leaky", cwd=place,
    )  # fmt: skip
    assert done.returncode == 1
    assert test["queries"][question]
    said = done.stdout + done.stderr
    assert "1 of" in said
    assert "dataset.leaks=drop" in said
    assert "Traceback" not in said
    assert json.loads((place / "outputs" / "leaky" / "status.json").read_text())["stage"] == "audits"


def test_another_dataset_says_what_the_tuned_model_costs_there_and_a_wrong_one_is_told_first(first, place):
    done = run(*SMALL, f"evaluation.general={first[0]}", "tracking=local", "hydra.run.dir=outputs/general", cwd=place)
    assert done.returncode == 0, done.stderr[-3000:]
    metrics = metrics_of(place / "outputs" / "general")
    # The fine-tune is the first run's.
    assert metrics["training"]["history"] == metrics_of(first[0])["training"]["history"]
    # The dataset is its own test set, with the test chunks alone to search.
    assert metrics["general"]["questions"] == metrics["dataset"]["questions"]["test"]
    assert {row["metric"] for row in metrics["general"]["comparisons"]} >= {"ndcg@10", "hit_rate@5"}
    assert any(reason.startswith("Elsewhere (") for reason in metrics["verdict"]["reasons"])
    wrong = run(*SMALL, "evaluation.general=docs", "tracking=local", "hydra.run.dir=outputs/nothing", cwd=place)
    assert wrong.returncode == 1
    assert "evaluation.general=docs is no dataset" in wrong.stdout + wrong.stderr


def test_questions_made_from_passages_get_a_warning_and_no_verdict(first):
    metrics = metrics_of(first[0])
    assert metrics["dataset"]["origins"]["test"].keys() == {"extractive"}
    assert metrics["verdict"]["decision"] == "cannot_tell"
    assert any("flatter BM25" in note["text"] for note in metrics["notes"])
    assert "flatter BM25" in first[1].stdout.replace("\n", " ")


def test_no_chunk_stands_in_two_splits(first):
    parts = [json.loads((first[0] / "dataset" / f"{name}.json").read_text()) for name in ("train", "dev", "test")]
    ids = [set(part["corpus"]) for part in parts]
    assert not ids[0] & ids[1]
    assert not ids[0] & ids[2]
    assert not ids[1] & ids[2]
    for part in parts:
        assert {key for values in part["relevant_docs"].values() for key in values} <= set(part["corpus"])


def test_the_tuned_model_loads_in_a_fresh_process_and_ranks_as_reported(first):
    folder, _ = first
    code = f"""
import json
from sentence_transformers import SentenceTransformer
model = SentenceTransformer({str(folder / "model")!r}, device="cpu")
test = json.load(open({str(folder / "dataset" / "test.json")!r}))
texts = list(test["corpus"].values())
vectors = model.encode_document(texts[:3]), model.encode_query(list(test["queries"].values())[:2])
print(vectors[0].shape, vectors[1].shape)
"""
    done = in_fork(code, cwd=folder, environment={**os.environ, "HF_HUB_OFFLINE": "1"}, embft="gone")
    assert "(3, 384) (2, 384)" in done.stdout, done.stderr[-2000:]


def test_the_same_command_again_makes_nothing_twice(first, place):
    done = run(*SMALL, "hydra.run.dir=outputs/second", cwd=place)
    assert done.returncode == 0, done.stderr[-3000:]
    again, before = metrics_of(place / "outputs" / "second"), metrics_of(first[0])
    assert {
        stage: timing["cached"] for stage, timing in again["timings"].items() if stage != "report"
    } == dict.fromkeys(
        ("reading", "corpus", "held_back", "questions", "dataset", "training", "ranking", "evaluation"), True
    )
    assert again["systems"] == before["systems"]
    assert again["comparisons"] == before["comparisons"]


def test_people_s_questions_are_dev_and_test_and_the_lost_quote_is_named(first, place):
    done = run(
        *SMALL, "questions.human=human.jsonl", "dataset.dev_fraction=0.1", "training=none", "evaluation=base_only",
        "tracking=local", "hydra.run.dir=outputs/human", cwd=place,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    metrics = metrics_of(place / "outputs" / "human")
    assert metrics["dataset"]["origins"]["test"].keys() == {"human"}
    assert [row["question"] for row in metrics["dataset"]["unmapped"]] == ["a quote nobody wrote"]
    assert "green cheese" in metrics["dataset"]["unmapped"][0]["reason"]
    assert not (place / "outputs" / "human" / "model").exists()


def test_a_sweep_shares_stages_survives_a_failed_job_and_says_so(first, place):
    done = run(
        *SMALL, "-m", "model=minilm,bge_small", "training.learning_rate=1e-4", "tracking=local",
        "hydra.sweep.dir=outputs/sweep", cwd=place,
    )  # fmt: skip
    assert done.returncode == 1
    good, bad = (json.loads((place / "outputs" / "sweep" / name / "status.json").read_text()) for name in "01")
    assert good["status"] == "ok"
    assert bad["status"] == "failed"
    assert bad["stage"] == "model"
    assert "BAAI/bge-small-en is not available" in bad["error"]["message"]
    assert "hf download BAAI/bge-small-en" in (place / "outputs" / "sweep" / "1" / "embft.log").read_text()
    assert "Traceback" not in done.stderr
    timings = metrics_of(place / "outputs" / "sweep" / "0")["timings"]
    assert timings["corpus"]["cached"]
    assert timings["questions"]["cached"]
    page = (place / "outputs" / "sweep" / "compare.html").read_text(encoding="utf-8")
    assert "1 of 2 jobs did not finish" in page
    assert (place / "outputs" / "sweep" / "compare.csv").is_file()
    compared = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "compare.py"), "outputs/sweep"],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert compared.returncode == 0, compared.stderr
    assert "1 of 2 jobs did not finish" in compared.stdout
    assert "minilm" in compared.stdout


def test_a_folder_with_a_finished_run_is_refused(first, place):
    done = run(*SMALL, "hydra.run.dir=outputs/first", cwd=place)
    assert done.returncode == 1
    assert "holds a run already" in done.stdout + done.stderr
    assert metrics_of(first[0])["status"] == "ok"


def test_no_secret_is_written_anywhere(first, place):
    for path in place.rglob("*"):
        if path.is_file():
            assert SENTINEL.encode() not in path.read_bytes(), path
    assert SENTINEL not in first[1].stdout + first[1].stderr


def test_the_offline_wandb_run_read_back_holds_every_metric(first):
    folder, _ = first
    [tracked] = (folder / "wandb").glob("offline-run-*")
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--summary", "--json", str(tracked)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    summary = json.loads(done.stdout)
    summary = summary.get("summary", summary)
    metrics = metrics_of(folder)
    for system, figures in metrics["systems"].items():
        for name, value in figures["metrics"].items():
            assert summary[f"eval/{system}/{name}"] == pytest.approx(value, abs=1e-9), name
    for row in metrics["comparisons"]:
        key = f"comparison/{row['system']}_vs_{row['baseline']}/{row['metric']}"
        assert summary[f"{key}/delta"] == pytest.approx(row["delta"], abs=1e-9)
        assert [summary[f"{key}/ci_low"], summary[f"{key}/ci_high"]] == pytest.approx(row["ci95"], abs=1e-9)
