"""Fixtures of the tests of serving."""

from conftest_serving import finished, server

__all__ = ["finished", "server"]
