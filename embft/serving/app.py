"""The server's routes: vectors as OpenAI gives them, searches as the run ranked, health, counters."""

from __future__ import annotations

import asyncio
import base64
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from embft.errors import EmbftError, RunError
from embft.models.vectors import unit
from embft.serving import gauges as counting
from embft.serving.answering import Asked, Hit
from embft.serving.batching import Batcher, StoppingError, TooBusyError
from embft.serving.engine import Embedded, Engine
from embft.serving.gauges import Gauges
from embft.serving.requests import (
    BadRequestError,
    Content,
    EmbeddingsRequest,
    SearchRequest,
    embeddings_request,
    parse_object,
    search_request,
)

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response


@dataclass(frozen=True)
class Limits:
    """How much a server takes on.

    Attributes:
        batch: Texts computed at once.
        waiting: Texts that may wait.
        in_flight: Requests that may be in work.
        body: Bytes of a request.
        patience: Seconds that a request's body may take to come.
    """

    batch: int = 64
    waiting: int = 8192
    in_flight: int = 1024
    body: int = 8 << 20
    patience: float = 30.0


class Service:
    """One server.

    Args:
        engine: What computes.
        gauges: What the engine counts in too.
        limits: How much it takes on.
        token: That clients must have; None: nobody is asked for one.
        unnamed: The task of requests for vectors that name none; see `embeddings_request`.
    """

    def __init__(
        self, engine: Engine, gauges: Gauges, limits: Limits, token: str | None = None, unnamed: str | None = None
    ) -> None:
        self.engine = engine
        self.gauges = gauges
        self.limits = limits
        self._token = None if token is None else token.encode()
        self._unnamed = unnamed
        self._in_flight = 0
        self._batcher = Batcher(engine.work, limits.batch, limits.waiting, gauges.batch)

    def app(self) -> Starlette:
        """The ASGI application."""
        from starlette.applications import Starlette
        from starlette.routing import Route

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            self._batcher.start()
            yield
            await asyncio.to_thread(self._batcher.stop)

        def post(path: str, answer: Callable[[Request], Awaitable[Any]], *methods: str) -> Route:
            return Route(path, self._guarded(path, answer), methods=list(methods or ("POST",)))

        routes = [
            post("/v1/embeddings", self._embeddings),
            post("/embeddings", self._embeddings),
            post("/v1/models", self._models, "GET"),
            post("/search", self._search, "GET", "POST"),
            post("/metrics", self._metrics, "GET"),
            Route("/health", self._health, methods=["GET"]),
        ]
        handlers = {404: _no_route, 405: _no_method, 500: _broken}
        return Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)

    def _guarded(
        self, path: str, answer: Callable[[Request], Awaitable[Any]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """The handler of a route: with the token looked at, requests counted, errors in OpenAI's form."""

        async def handle(request: Request) -> Response:
            started, status = time.perf_counter(), 500
            self._in_flight += 1
            try:
                response = await self._answered(request, answer)
                status = response.status_code
            finally:
                self._in_flight -= 1
                self.gauges.request(path, status, time.perf_counter() - started)
            return response

        return handle

    async def _answered(self, request: Request, answer: Callable[[Request], Awaitable[Any]]) -> Response:
        from starlette.requests import ClientDisconnect
        from starlette.responses import JSONResponse, Response

        try:
            if not self._may_enter(request):
                return error_response(
                    401, "This server needs its token: Authorization: Bearer TOKEN.", "authentication_error"
                )
            if self._in_flight > self.limits.in_flight:
                raise TooBusyError
            content = await answer(request)
        except ClientDisconnect:
            return error_response(400, "The request ended before its body did.")
        except BadRequestError as error:
            return error_response(error.status, str(error), param=error.param)
        except TooBusyError:
            return error_response(429, "The server has as much to do as it takes on: try again.", "rate_limit_error")
        except StoppingError:
            return error_response(503, "The server is about to end.", "server_error")
        except EmbftError as error:
            return error_response(502, str(error), "server_error")
        return content if isinstance(content, Response) else JSONResponse(content)

    def _may_enter(self, request: Request) -> bool:
        if self._token is None:
            return True
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # Compared in constant time: how long it takes says nothing about how much of it was right.
        right = hmac.compare_digest(given.strip().encode("utf-8", "surrogatepass"), self._token)
        return right and scheme.lower() == "bearer"

    async def _body(self, request: Request) -> Content:
        from anyio import fail_after

        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise BadRequestError(
                "The body is compressed, which this server does not read: send it as it is.", status=415
            )
        parts, size = [], 0
        try:
            # A client that sends a byte now and then would otherwise keep its place for ever, and the server from ending.
            with fail_after(self.limits.patience):
                async for part in request.stream():
                    size += len(part)
                    if size > self.limits.body:
                        raise BadRequestError(
                            f"The request has more than {self.limits.body:,} bytes: send it in parts.", status=413
                        )
                    parts.append(part)
        except TimeoutError:
            raise BadRequestError(
                f"The body of the request did not come within {self.limits.patience:g} seconds.", status=408
            ) from None
        return parse_object(b"".join(parts))

    async def _embeddings(self, request: Request) -> Content:
        wanted = embeddings_request(await self._body(request), self.engine.served, self._unnamed)
        return _vectors(wanted, await self._batcher.submit(("embed", wanted.task), wanted.texts))

    async def _search(self, request: Request) -> Content:
        content = _from_address(request) if request.method == "GET" else await self._body(request)
        run = self.engine.answering.run
        wanted = search_request(content, run.config.retrieval.depth)
        try:
            system = run.system(wanted.system or self.engine.system)
        except RunError as error:
            raise BadRequestError(str(error), "system") from None
        if unknown := [key for key in wanted.excluded if key not in run.chunks]:
            raise BadRequestError(f"exclude names {unknown[0]!r}, which is no chunk here.", "exclude")
        asked = [Asked(text, wanted.excluded) for text in wanted.queries]
        return _hits(wanted, system, await self._batcher.submit(("search", system), asked))

    async def _models(self, request: Request) -> Content:
        names = self.engine.served.names
        rows = [{"id": name, "object": "model", "created": 0, "owned_by": "embft"} for name in names]
        return {"object": "list", "data": rows}

    async def _metrics(self, request: Request) -> Response:
        from starlette.responses import PlainTextResponse

        page = self.gauges.render(self._batcher.waiting, self._in_flight)
        return PlainTextResponse(page, headers={"content-type": counting.CONTENT_TYPE})

    async def _health(self, request: Request) -> Response:
        from starlette.responses import JSONResponse

        alive, setup = self._batcher.alive, self.engine.answering.run.setup
        content = {
            "status": "ok" if alive else "stopping",
            "system": self.engine.system,
            "model": self.engine.served.name,
            "systems": list(setup.systems),
            "chunks": setup.chunks,
        }
        return JSONResponse(content, 200 if alive else 503)


def _vectors(wanted: EmbeddingsRequest, embedded: list[Embedded]) -> Content:
    rows = []
    for place, item in enumerate(embedded):
        vector = item.vector
        if wanted.dimensions is not None:
            vector = unit(vector[None, : wanted.dimensions])[0]
        content = base64.b64encode(vector.astype("<f4").tobytes()).decode() if wanted.as_text else vector.tolist()
        rows.append({"object": "embedding", "index": place, "embedding": content})
    count = sum(item.tokens for item in embedded)
    answer: dict[str, object] = {
        "object": "list",
        "data": rows,
        "model": wanted.model,
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }
    if cut := [place for place, item in enumerate(embedded) if item.cut]:
        answer["truncated"] = cut  # nothing is lost without a word; OpenAI's clients pass over it
    return answer


def _hits(wanted: SearchRequest, system: str, ranked: list[list[Hit]]) -> Content:
    return {
        "system": system,
        "results": [
            {"query": query, "hits": [_hit(rank, hit, wanted.with_text) for rank, hit in enumerate(hits, 1)]}
            for query, hits in zip(wanted.queries, (row[: wanted.top_k] for row in ranked), strict=True)
        ],
    }


def _hit(rank: int, hit: Hit, with_text: bool) -> Content:
    chunk = hit.chunk
    row = {"rank": rank, "id": chunk.id, "score": hit.score, "document": chunk.document, "page": chunk.page}
    return {**row, "text": chunk.text} if with_text else row


def _from_address(request: Request) -> Content:
    """``/search?query=...&system=...&top_k=...`` as a body would have it."""
    content: dict[str, object] = dict(request.query_params)
    if isinstance(top_k := content.get("top_k"), str) and top_k.isdecimal() and len(top_k) < 10:
        content["top_k"] = int(top_k)
    if content.get("text") in {"true", "false"}:
        content["text"] = content["text"] == "true"
    if "exclude" in content:
        content["exclude"] = request.query_params.getlist("exclude")
    return content


def error_response(
    status: int, message: str, kind: str = "invalid_request_error", *, param: str | None = None
) -> Response:
    """An error as OpenAI words it: its clients show the message."""
    from starlette.responses import JSONResponse

    headers = {"retry-after": "1"} if status in {429, 503} else {}
    headers |= {"www-authenticate": "Bearer"} if status == 401 else {}
    headers |= {"connection": "close"} if status == 408 else {}
    body = {"error": {"message": message, "type": kind, "param": param, "code": None}}
    return JSONResponse(body, status, headers=headers)


async def _no_route(request: Request, error: Exception) -> Response:
    ways = "POST /v1/embeddings, GET or POST /search, GET /v1/models, /health and /metrics"
    return error_response(404, f"There is nothing at {request.url.path}. There is {ways}.")


async def _broken(request: Request, error: Exception) -> Response:
    """A fault of ours: its traceback is in the log, not in the answer."""
    return error_response(500, "The server failed at this request: its log says how.", "server_error")


async def _no_method(request: Request, error: Exception) -> Response:
    return error_response(405, f"{request.url.path} does not take {request.method}.")
