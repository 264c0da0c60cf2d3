"""A server of Weights & Biases on the loopback, as far as its client asks; it can fail in several ways, at once or in between."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

FAULTS = ("refuses", "hangs", "answers 500", "answers nonsense")


class WandbServer:
    """Use it with ``with``.

    Attributes:
        fault: One of `FAULTS`, from now on; "" for none.
        breaks: The same, from the moment that the first run was opened.
        runs: What each run was opened with, in order.
        files: Name to content, of what was uploaded.
        lines: Those of each stream: ``wandb-history.jsonl``...
        artifacts: What each was made with, in order.
        used: The ids of artifacts that were used.
        sweep: The configuration of the sweep, YAML.
        commands: What an agent is told, one at each of its heartbeats.
    """

    def __init__(
        self, fault: str = "", breaks: str = "", sweep: str = "", commands: list[dict[str, Any]] | None = None
    ) -> None:
        self.fault, self.breaks = fault, breaks
        self.sweep, self.commands = sweep, commands or []
        self.runs: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.lines: dict[str, list[str]] = {}
        self.artifacts: list[dict[str, Any]] = []
        self.used: list[str] = []
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> WandbServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def hang(self) -> None:
        """Until the test is over."""
        self._over.wait(300)

    def summary(self) -> dict[str, Any]:
        """The summary that was uploaded last."""
        content: dict[str, Any] = json.loads(self.files["wandb-summary.json"])
        return content

    def answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """To a question in GraphQL."""
        if "upsertBucket" in query:
            return self._run(variables)
        if "createRunFiles" in query:
            files = [{"name": name, "uploadUrl": f"{self.url}/upload/{name}"} for name in variables["files"]]
            return {"createRunFiles": {"runID": "run", "uploadHeaders": [], "files": files}}
        if "createArtifactManifest" in query:
            file = {"id": "file", "uploadUrl": f"{self.url}/upload/manifest", "uploadHeaders": []}
            return {"createArtifactManifest": {"artifactManifest": {"id": "manifest", "file": file}}}
        if "updateArtifactManifest" in query:
            file = {"id": "file", "uploadUrl": f"{self.url}/upload/manifest", "uploadHeaders": []}
            return {"updateArtifactManifest": {"artifactManifest": {"id": "manifest", "file": file}}}
        if "createArtifactFiles" in query:
            wanted = variables["input"]["artifactFiles"]
            nodes = [
                {"storagePath": file["name"], "uploadUrl": f"{self.url}/upload/artifact/{file['name']}", "uploadHeaders": [],
                 "uploadMultipartUrls": None, "artifact": {"id": file["artifactID"]}} for file in wanted
            ]  # fmt: skip
            return {"createArtifactFiles": {"files": {"edges": [{"node": node} for node in nodes]}}}
        if "commitArtifact" in query:
            return {"commitArtifact": {"artifact": {"id": variables["artifactID"], "digest": "digest"}}}
        if "createArtifact" in query:
            self.artifacts.append(variables["input"])
            sequence = {"latestArtifact": None, "id": "sequence"}
            artifact = {"id": str(len(self.artifacts) - 1), "state": "PENDING", "artifactSequence": sequence}
            return {"createArtifact": {"artifact": artifact}}
        if "useArtifact" in query:
            self.used.append(variables.get("artifactID") or variables["input"]["artifactID"])
            return {"useArtifact": {"artifact": {"id": self.used[-1], "digest": "digest"}}}
        if "createAgent" in query:
            return {"createAgent": {"agent": {"id": "agent"}}}
        if "agentHeartbeat" in query:
            told = [self.commands.pop(0)] if self.commands else []
            return {"agentHeartbeat": {"agent": {"id": "agent"}, "commands": json.dumps(told)}}
        if "sweep(" in query:
            sweep = {"id": "sweep", "name": "sweep", "config": self.sweep, "state": "RUNNING", "runs": {"edges": []}}
            return {"project": {"sweep": sweep}}
        if "ArtifactType(" in query:
            return {"project": {"artifact": None}}
        if "serverInfo" in query:
            return {"serverInfo": {"features": []}}
        return {"viewer": {"id": "me", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}}

    def _run(self, variables: dict[str, Any]) -> dict[str, Any]:
        first = all(run["name"] != variables["name"] for run in self.runs)
        if first:
            self.runs.append(variables)
            self.fault = self.fault or self.breaks
        project = {"id": "project", "name": variables["project"], "entity": {"id": "me", "name": "me"}}
        bucket = {name: variables.get(name) for name in ("name", "displayName", "config")}
        bucket |= {"id": "run", "description": None, "sweepName": variables.get("sweep"), "historyLineCount": 0}
        return {"upsertBucket": {"bucket": {**bucket, "project": project}, "inserted": first}}


def _handler(server: WandbServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            """Nothing is printed."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True

        def do_GET(self) -> None:
            self._reply(b"{}")

        def do_PUT(self) -> None:
            body = self._body()
            if not self._fails():
                server.files[self.path.removeprefix("/upload/")] = body
                self._reply(b"")

        def do_POST(self) -> None:
            body = self._body()
            if self._fails():
                return
            asked = json.loads(body)
            if self.path == "/graphql":
                self._reply(json.dumps({"data": server.answer(asked["query"], asked.get("variables") or {})}).encode())
                return
            for name, rows in (asked.get("files") or {}).items():
                server.lines.setdefault(name, []).extend(rows["content"])
            self._reply(b"{}")

        def _body(self) -> bytes:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

        def _fails(self) -> bool:
            if server.fault == "hangs":
                server.hang()
            elif server.fault == "answers 500":
                self._reply(b"out of order", 500)
            elif server.fault == "answers nonsense":
                self._reply(b'{"data": {}}')
            self.close_connection = self.close_connection or bool(server.fault)
            return bool(server.fault)

        def _reply(self, body: bytes, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
