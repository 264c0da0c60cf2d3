"""The socket that a server of embft listens on."""

from __future__ import annotations

import socket

from embft.errors import RunError


def listen(host: str, port: int) -> socket.socket:
    """Opens it: a client that is faster than the server waits instead of being refused.

    Args:
        host: An IP address.
        port: 0 takes any that is free.

    Raises:
        RunError: The port is taken, or not this user's to take.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except (OSError, OverflowError) as error:
        listening.close()
        raise RunError(
            f"{host}:{port} cannot be listened on ({getattr(error, 'strerror', None) or error}): give another --port, or 0 for "
            "any that is free."
        ) from error
    return listening
