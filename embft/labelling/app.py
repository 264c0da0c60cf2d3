"""The page's web application. Only this machine reaches it, and only who knows the token in its address.

A page of another site could send requests to this one: so Host and Origin are compared with the server's own, a request that
changes something must be JSON, and nothing is served without the token. Passages are untrusted text: the page shows them as text,
and its policy forbids scripts that are not its own file.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from embft.errors import EmbftError
from embft.labelling.session import Session

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_LARGEST = 64 * 1024
"""Bytes of a request's body."""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_FILES = {"": "label.html", "label.js": "label.js", "label.css": "label.css", "words.json": "words.json"}
_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "json": "application/json"}


class RefusedError(Exception):
    """A request that is refused, with its status."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


def make_app(session: Session, token: str, port: int) -> Starlette:
    """The application.

    Args:
        session: What the page works on.
        token: The first part of every path.
        port: That the server listens on.
    """
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request as Incoming
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
    actions = _actions(session)

    async def answer(request: Incoming) -> Response:
        try:
            _check(request, hosts, token)
            name = str(request.path_params["name"])
            if request.method == "GET" and name in _FILES:
                response = _file(_FILES[name])
            elif (request.method, name) in actions:
                given = await _given(request)
                response = JSONResponse(await run_in_threadpool(actions[request.method, name], given))
            else:
                raise RefusedError(404, "There is nothing here.")
        except RefusedError as refused:
            response = JSONResponse({"error": str(refused)}, refused.status)
        except EmbftError as error:
            response = JSONResponse({"error": str(error)}, 400)
        except OSError as error:
            response = JSONResponse({"error": f"This could not be saved: {error.strerror or error}."}, 507)
        response.headers.update(_HEADERS)
        return response

    routes = [Route("/{token}/{name:path}", answer, methods=["GET", "POST"])]
    return Starlette(routes=routes)


def _actions(session: Session) -> dict[tuple[str, str], Callable[[dict[str, Any]], Any]]:
    def changed(act: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        """Answers with how much is done, beside what the action says itself."""
        return lambda given: {"said": act(given), "overview": session.overview()}

    return {
        ("GET", "overview"): lambda given: session.overview(),
        ("GET", "question"): lambda given: session.question(_whole(given, "at")),
        ("GET", "chunk"): lambda given: session.chunk(_whole(given, "at")),
        ("GET", "search"): lambda given: session.search(_whole(given, "at"), _text(given, "text")),
        ("POST", "trace"): lambda given: session.trace(_text(given, "chunk"), _text(given, "text")),
        ("POST", "judge"): changed(
            lambda given: session.judge(_whole(given, "at"), _text(given, "chunk"), _whole(given, "grade"))
        ),
        ("POST", "nothing"): changed(lambda given: session.nothing_answers(_whole(given, "at"))),
        ("POST", "pool"): changed(lambda given: session.pool_with(_whole(given, "at"), _text(given, "chunk"))),
        ("POST", "write"): changed(lambda given: session.write(_text(given, "chunk"), _text(given, "text"))),
        ("POST", "undo"): changed(lambda given: session.undo()),
    }


def _check(request: Request, hosts: set[str], token: str) -> None:
    """Refuses what does not come from the page itself."""
    if request.headers.get("host") not in hosts:
        raise RefusedError(421, "This server answers on this machine's own address only.")
    if not secrets.compare_digest(str(request.path_params["token"]).encode(), token.encode()):
        raise RefusedError(404, "There is nothing here. The address that the program printed has a token in it.")
    origin = request.headers.get("origin")
    own = {f"http://{host}" for host in hosts}
    if (origin is not None or request.method == "POST") and origin not in own:
        raise RefusedError(403, "Requests of other pages are not answered.")
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise RefusedError(403, "Requests of other pages are not answered.")


async def _given(request: Request) -> dict[str, Any]:
    if request.method == "GET":
        return dict(request.query_params)
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise RefusedError(415, "The body must be JSON.")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST:
            raise RefusedError(413, f"The body has more than {_LARGEST:,} bytes.")
    from embft.foreign_json import parse_json

    try:
        given = parse_json(body.decode(), strict=True)
    except ValueError:
        raise RefusedError(400, "The body is not JSON.") from None
    if not isinstance(given, dict):
        raise RefusedError(400, "The body is no JSON object.")
    return given


def _whole(given: dict[str, Any], name: str) -> int:
    value = given.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if type(value) is not int:
        raise RefusedError(400, f"{name} is missing or no whole number.")
    return value


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise RefusedError(400, f"{name} is missing or no text.")
    return value


def _file(name: str) -> Response:
    from starlette.responses import Response

    content = (files("embft.labelling") / "page" / name).read_bytes()
    return Response(content, media_type=_TYPES[name.rpartition(".")[2]])
