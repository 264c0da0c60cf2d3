"""Fixtures of the tests of serving."""

from conftest_serving import server

__all__ = ["server"]
