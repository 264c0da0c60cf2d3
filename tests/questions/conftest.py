"""A server to ask, and the key that it is asked with."""

from __future__ import annotations

import pytest
from chat_server import KEY
from pytest_httpserver import HTTPServer


@pytest.fixture
def server(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> HTTPServer:
    monkeypatch.setenv("EMBFT_TEST_KEY", KEY)
    return httpserver
