"""What a run folder serves is what was ranked: same chunks, same order, same scores."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from forks import in_fork
from small_run import run_small

from embft.dataset.beir import write_beir
from embft.errors import ModelError, RunError
from embft.evaluation.metrics import dataset_scores
from embft.export.command import main as export
from embft.records import Ranking
from embft.reporting.card_search import search_section
from embft.retrieval.ranking_files import read_ranking
from embft.serving.answering import Answering, Asked
from embft.serving.run_files import read_run

sys.path.append(str(Path(__file__).parents[1] / "reporting"))
from made_run import make_outcome


def ranked_by_the_run(folder: Path, system: str) -> Ranking:
    """The stage's own ranking of the test questions."""
    stages = folder.parent / "cache" / "stages" / "ranking"
    files = [*stages.glob(f"*/test.{system}.*.npz")]
    (path,) = [file for file in files if ".dot." not in file.name][:1]
    return read_ranking(path, system, path.name.split(".")[2])


@pytest.mark.parametrize("system", ["bm25", "base", "tuned", "fused"])
def test_every_system_ranks_as_in_the_run(finished, system):
    run = read_run(finished)
    answering = Answering(run)
    stored = ranked_by_the_run(finished, system)
    ids = list(run.test.queries)
    # In batches, one by one, and all at once: company changes nothing.
    for size in (1, 7, len(ids)):
        for start in range(0, len(ids), size):
            part = ids[start : start + size]
            ranking = answering.rank(system, [Asked(run.test.queries[key]) for key in part])
            for place, key in enumerate(part):
                scores = ranking.scores[str(place)]
                assert scores == pytest.approx(stored.scores[key], abs=5e-6)
                for chunk_id, score in zip(ranking.chunk_ids[str(place)], scores, strict=True):
                    at = stored.chunk_ids[key].index(chunk_id)
                    assert score == pytest.approx(stored.scores[key][at], abs=5e-6)


@pytest.mark.parametrize("system", ["bm25", "base", "tuned", "fused"])
def test_the_report_s_figures_come_out(finished, system):
    run = read_run(finished)
    ranking = Answering(run).rank(system, [Asked(text) for text in run.test.queries.values()])
    named = replace(
        ranking, chunk_ids={key: ranking.chunk_ids[str(place)] for place, key in enumerate(run.test.queries)}
    )
    scores = dataset_scores(named, run.test, run.config.evaluation.relevant_from)
    reported = json.loads((finished / "metrics.json").read_text(encoding="utf-8"))["systems"][system]
    for metric in ("hit_rate@5", "ndcg@10", "mrr@10", "map@100"):
        assert scores[metric].mean() == pytest.approx(reported[metric], abs=1e-6)


@pytest.mark.slow
def test_a_mix_that_kept_base_is_served_and_exported_with_base(finished, tmp_path):
    # Test questions of people's, and none of theirs to train or choose on.
    beir = ["dataset=beir", f"dataset.path={tmp_path / 'beir'}", "dataset.train=null", "dataset.test=null"]
    write_beir(tmp_path / "beir", {"test": read_run(finished).test})
    folder = run_small(finished.parent, "test_only", *beir, "dataset.train_on=all")
    run = read_run(folder)
    assert run.setup.fusion is not None
    assert (run.setup.fusion.dense, run.setup.fusion.weight) == ("base", 0.5)
    assert [run.model_of(system) for system in ("bm25", "base", "tuned", "fused")] == [None, "base", "tuned", "base"]
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert any("the fusion has base in it" in note["text"] for note in metrics["notes"])
    ranking = Answering(run).rank("fused", [Asked(text) for text in run.test.queries.values()])
    named = replace(ranking, chunk_ids={key: ranking.chunk_ids[str(at)] for at, key in enumerate(run.test.queries)})
    found = dataset_scores(named, run.test, run.config.evaluation.relevant_from)["ndcg@10"].mean()
    assert found == pytest.approx(metrics["systems"]["fused"]["ndcg@10"], abs=1e-6)
    assert export([str(folder), str(tmp_path / "out"), "--to", "parquet", "--system", "fused"]) == 0
    assert in_fork(str(tmp_path / "out" / "check.py"), cwd=tmp_path, environment=dict(os.environ)).returncode == 0


def test_chunks_can_be_left_out_of_a_ranking(finished):
    answering = Answering(read_run(finished))
    (hits,) = answering.search("fused", [Asked("pay for printer")])
    first = hits[0].chunk.id
    (without,) = answering.search("fused", [Asked("pay for printer", (first,))])
    assert [hit.chunk.id for hit in without] == [hit.chunk.id for hit in hits[1:]]


def test_a_run_by_token_is_served_by_token(finished):
    folder = run_small(finished.parent, "late", "retrieval.mode=late", "training=none", "evaluation=base_only")
    run = read_run(folder)
    ranking = Answering(run).rank("base", [Asked(text) for text in run.test.queries.values()])
    reported = run.setup.figures["base"]["ndcg@10"]
    named = replace(ranking, chunk_ids={key: ranking.chunk_ids[str(at)] for at, key in enumerate(run.test.queries)})
    assert dataset_scores(named, run.test)["ndcg@10"].mean() == pytest.approx(reported, abs=1e-6)


def test_the_run_folder_is_enough_without_the_cache(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "moved")
    config = (tmp_path / "moved" / "config.yaml").read_text(encoding="utf-8")
    (tmp_path / "moved" / "config.yaml").write_text(
        config.replace(str(finished.parent / "cache"), str(tmp_path / "gone")), encoding="utf-8"
    )
    run = read_run(tmp_path / "moved")
    (hits,) = Answering(run).search("tuned", [Asked("pay for printer")])
    (as_before,) = Answering(read_run(finished)).search("tuned", [Asked("pay for printer")])
    assert [hit.chunk for hit in hits[:5]] == [hit.chunk for hit in as_before[:5]]
    assert (tmp_path / "moved" / "search" / "vectors").is_dir()


def test_a_model_that_was_changed_since_is_not_served_under_the_report_s_figures(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    weights = tmp_path / "run" / "model" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelError, match="not the one that was ranked"):
        Answering(read_run(tmp_path / "run"))


def test_folders_that_are_no_finished_run_are_refused_in_words(finished, tmp_path):
    with pytest.raises(RunError, match="There is no folder"):
        read_run(tmp_path / "nowhere")
    with pytest.raises(RunError, match="is no run's folder"):
        read_run(tmp_path)
    with pytest.raises(RunError, match="give one of them, such as"):
        read_run(finished.parent)
    shutil.copytree(finished, tmp_path / "old")
    (tmp_path / "old" / "search.json").unlink()
    with pytest.raises(RunError, match="older embft"):
        read_run(tmp_path / "old")
    (tmp_path / "old" / "status.json").write_text('{"status": "failed"}')
    with pytest.raises(RunError, match="has not ended well"):
        read_run(tmp_path / "old")
    shutil.copytree(finished, tmp_path / "bad")
    (tmp_path / "bad" / "search" / "chunks.parquet").write_bytes(b"PAR1")
    with pytest.raises(RunError, match="is damaged"):
        read_run(tmp_path / "bad")
    (tmp_path / "bad" / "search.json").write_text("{}")
    with pytest.raises(RunError, match="of another version"):
        read_run(tmp_path / "bad")


def test_the_card_describes_the_winner_and_its_code_ranks_as_the_run_did(finished):
    setup = read_run(finished).setup
    card = (finished / "model" / "README.md").read_text(encoding="utf-8")
    section = card.partition("## The system that won, in production")[2].partition("## Limits")[0]
    if setup.system is None:
        assert "names no system" in section
        return
    (code,) = re.findall(r"```py\n(.*?)```", section, re.DOTALL)
    question_id, question = next(iter(read_run(finished).test.queries.items()))
    scope: dict = {}
    exec(code.replace("RUN", str(finished)).replace("...", question), scope)
    stored = ranked_by_the_run(finished, setup.system)
    assert [hit.chunk.id for hit in scope["hits"]] == list(stored.chunk_ids[question_id])


def test_the_card_of_a_mix_says_all_that_it_takes():
    outcome = make_outcome()
    outcome = replace(outcome, verdict=replace(outcome.verdict, decision="fused"))
    section = "\n".join(search_section(outcome))
    retrieval, fusion = outcome.config.retrieval, outcome.fusion
    assert fusion is not None
    for words in (
        f"windows of at most {retrieval.window_tokens} tokens", "best window (MaxP)", "Prompts: ", f"k1 {retrieval.bm25_k1:g}",
        f"b {retrieval.bm25_b:g}", f"best window of {retrieval.bm25_window} terms", "pairs of neighbouring terms", "(min-max)",
        f"{fusion.weight:g} of the former", 'answering.search("fused"',
    ):  # fmt: skip
        assert words in section, words


def test_the_card_of_a_mix_that_kept_base_speaks_of_base():
    outcome = make_outcome()
    assert outcome.fusion is not None
    assert outcome.tuned is not None
    prompts = replace(outcome.tuned.report, query_prompt="ask: ", document_prompt="text: ")
    outcome = replace(
        outcome, tuned=replace(outcome.tuned, report=prompts), refitted=outcome.tuned,
        verdict=replace(outcome.verdict, decision="fused"),
    )  # fmt: skip
    for dense, tuned in (("tuned", True), ("base", False)):
        section = "\n".join(search_section(replace(outcome, fusion=replace(outcome.fusion, dense=dense))))
        assert f"of vectors ({dense})" in section
        assert [words in section for words in ("'ask: '", "--refitted")] == [tuned, tuned]


def test_the_card_of_a_mix_of_three_names_all_of_its_shares():
    outcome = make_outcome()
    assert outcome.fusion is not None
    fusion = replace(outcome.fusion, weight=0.5, late=0.2)
    outcome = replace(outcome, fusion=fusion, verdict=replace(outcome.verdict, decision="fused"))
    section = "\n".join(search_section(outcome))
    assert "of its token vectors (MaxSim)" in section
    assert "then 0.5, 0.2 and 0.3 of them are added" in section
