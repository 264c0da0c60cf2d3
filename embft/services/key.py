"""A service's key: read from the environment, where its name stands in the configuration."""

from __future__ import annotations

import os

from embft.errors import EndpointError


def read_key(variable: str | None, needs: str, setting: str, way_out: str = "") -> str | None:
    """The value of the environment variable; None where the service has no keys.

    Args:
        variable: Its name.
        needs: What needs the key: the subject of a sentence.
        setting: Where the variable is named.
        way_out: What else can be done: the end of a sentence.

    Raises:
        EndpointError: It is not set, or holds what no key holds. Its value is not shown.
    """
    if not variable:
        return None
    key = os.environ.get(variable, "")
    if not key:
        raise EndpointError(
            f"{needs} needs a key in the environment variable {variable}, which is not set. Set it, or name another with "
            f"{setting}.api_key_env, or null for an endpoint without keys{way_out}."
        )
    if not (key.isascii() and key.isprintable()):
        raise EndpointError(
            f"The key in ${variable} holds a line break or a character that no key has (its value is not shown): set the "
            "variable again."
        )
    return key
