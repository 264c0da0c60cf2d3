"""Publishing against a hub on loopback that speaks the hub's API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from embft.commands.publish import main

ROOT = Path(__file__).parents[2]
FIGURES = {"cosine_accuracy@5": 0.8, "cosine_ndcg@10": 0.7, "cosine_map@100": 0.6, "dot_ndcg@10": 0.7}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "README.md").write_text(
        "---\nlibrary_name: sentence-transformers\n---\n\n# A card\n", encoding="utf-8"
    )
    (folder / "model" / "model.safetensors").write_bytes(bytes(2000))
    (folder / "model" / "config.json").write_text("{}")
    metrics = {
        "status": "ok", "systems": {"tuned": {"metrics": FIGURES}}, "dataset": {"name": "generated", "corpus": "handbook"},
        "timings": {"training": {"seconds": 2.0}},
    }  # fmt: skip
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return folder


class Hub:
    """What a hub received."""

    def __init__(self, server: HTTPServer, status: int = 200) -> None:
        self.created: list[dict[str, object]] = []
        self.blobs: dict[str, bytes] = {}
        self.commits: list[list[dict[str, object]]] = []
        self.server, self.status = server, status
        if status != 200:
            for path in ("/api/repos/create", "/api/models/me/mine", "/api/models/me/mine/preupload/main"):
                server.expect_request(path).respond_with_json({"error": "Unauthorized"}, status)
            return
        server.expect_request("/api/repos/create").respond_with_handler(self.create)
        server.expect_request("/api/models/me/mine/preupload/main").respond_with_handler(self.preupload)
        server.expect_request("/me/mine.git/info/lfs/objects/batch").respond_with_handler(self.batch)
        server.expect_request("/api/models/me/mine/commit/main").respond_with_handler(self.commit)
        server.expect_request("/api/validate-yaml").respond_with_json({"errors": [], "warnings": []})
        server.expect_request("/api/models/me/mine").respond_with_json({"id": "me/mine", "siblings": []})

    def create(self, request: Request) -> Response:
        self.created.append(request.get_json())
        return Response(json.dumps({"url": f"{self.server.url_for('')}/me/mine"}), content_type="application/json")

    def preupload(self, request: Request) -> Response:
        files = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith("safetensors") else "regular",
                "shouldIgnore": False,
            }
            for file in request.get_json()["files"]
        ]
        return Response(json.dumps({"files": files}), content_type="application/json")

    def batch(self, request: Request) -> Response:
        objects = []
        for wanted in request.get_json()["objects"]:
            self.server.expect_request(f"/blob/{wanted['oid']}").respond_with_handler(self.blob)
            href = self.server.url_for(f"/blob/{wanted['oid']}")
            objects.append({**wanted, "actions": {"upload": {"href": href}}})
        return Response(json.dumps({"transfer": "basic", "objects": objects}), content_type="application/json")

    def blob(self, request: Request) -> Response:
        self.blobs[request.path.rpartition("/")[2]] = request.get_data()
        return Response("")

    def commit(self, request: Request) -> Response:
        self.commits.append([json.loads(line) for line in request.get_data().splitlines()])
        done = {"success": True, "commitOid": "0" * 40, "commitUrl": f"{self.server.url_for('')}/me/mine/commit/0"}
        return Response(json.dumps(done), content_type="application/json")


def publish(run: Path, server: HTTPServer, *words: str) -> subprocess.CompletedProcess[str]:
    """As its user types it; the hub's library reads HF_ENDPOINT as it is imported."""
    environment = {
        **os.environ, "HF_ENDPOINT": server.url_for("").rstrip("/"), "HF_TOKEN": "hf_secret", "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_OFFLINE": "0", "PYTHONPATH": str(ROOT), "HF_HOME": str(run.parent / "hub"),
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "publish.py"), str(run), "me/mine", *words],
        capture_output=True, text=True, env=environment, timeout=300, check=False,
    )  # fmt: skip


def test_the_model_its_card_and_its_figures_are_one_commit_of_a_private_repository(run: Path, httpserver: HTTPServer):
    hub = Hub(httpserver)
    done = publish(run, httpserver)
    assert done.returncode == 0, done.stderr
    assert "hf_secret" not in done.stdout + done.stderr
    (created,) = hub.created
    assert created.get("visibility") == "private" or created.get("private") is True
    assert list(map(len, hub.blobs.values())) == [2000]
    (commit,) = hub.commits
    sent = {str(row["value"]["path"]): row for row in commit if row["key"] != "header"}  # type: ignore[index]
    assert set(sent) == {"README.md", "config.json", "model.safetensors", "results/embft.json"}
    assert sent["model.safetensors"]["key"] == "lfsFile"


def test_the_card_has_the_hubs_model_index_and_the_results_have_mtebs_names(
    run: Path, capsys: pytest.CaptureFixture[str]
):
    from embft.commands.publish import package_of

    package = package_of(run, "me/mine")
    card = package.files["README.md"].decode()  # type: ignore[union-attr]
    front = yaml.safe_load(card.split("---")[1])
    assert front["model-index"][0]["name"] == "mine"
    metrics = {one["type"]: one["value"] for one in front["model-index"][0]["results"][0]["metrics"]}
    assert metrics == FIGURES
    assert "# A card" in card
    results = json.loads(package.files["results/embft.json"])  # type: ignore[arg-type]
    (scores,) = results["scores"]["test"]
    assert (scores["main_score"], scores["map_at_100"], scores["hit_rate_at_5"]) == (0.7, 0.6, 0.8)
    assert main([str(run), "me/mine", "--dry-run"]) == 0
    assert "Nothing was sent" in capsys.readouterr().out


def test_a_model_that_saw_the_test_questions_is_sent_without_their_figures(
    run: Path, capsys: pytest.CaptureFixture[str]
):
    from embft.commands.publish import package_of

    metrics = json.loads((run / "metrics.json").read_text())
    (run / "metrics.json").write_text(json.dumps(metrics | {"refit": {"epochs": 1}}))
    package = package_of(run, "me/mine")
    assert set(package.files) == {"README.md", "config.json", "model.safetensors"}
    assert package.files["README.md"] == run / "model" / "README.md"
    assert main([str(run), "me/mine", "--dry-run"]) == 0
    assert "training.refit" in capsys.readouterr().out


def test_a_hub_that_refuses_is_answered_in_words(run: Path, httpserver: HTTPServer):
    hub = Hub(httpserver, status=401)
    done = publish(run, httpserver, "--public")
    assert done.returncode == 2
    assert "token that may write" in done.stderr
    assert "Traceback" not in done.stderr
    assert hub.commits == []


@pytest.mark.parametrize("repository", ["mine", "me/mine/more", "me/mi ne", "https://huggingface.co/me/mine"])
def test_a_wrong_name_is_refused(run: Path, repository: str, capsys: pytest.CaptureFixture[str]):
    assert main([str(run), repository]) == 2
    assert "OWNER/NAME" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"status": "failed", "systems": {"tuned": {}}}', '{"status": "ok", "systems": {}}']
)
def test_a_folder_without_a_tuned_model_is_refused(run: Path, content: str, capsys: pytest.CaptureFixture[str]):
    (run / "metrics.json").write_text(content)
    assert main([str(run), "me/mine", "--dry-run"]) == 2
    assert capsys.readouterr().err.startswith("publish: ")
