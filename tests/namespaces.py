"""Machines of the test's own: network namespaces, each with an address, that reach each other and nothing else.

For what listens on all interfaces whatever it is told, such as Ray. A namespace is a machine to the network alone: files,
memory and processors are shared.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO

import pytest


@dataclass(frozen=True)
class Machine:
    """A network namespace.

    Attributes:
        name: Of the namespace.
        address: Its own in the network of the two, such as ``10.231.7.1``.
    """

    name: str
    address: str

    def command(self, *command: str) -> list[str]:
        """A command that runs in it."""
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command: str, env: Mapping[str, str] | None = None, timeout: float = 300) -> str:
        """Runs a command to its end, which may have started others that go on; returns what it said."""
        # Into a file: who waits for the end of a pipe waits for all that the command has started.
        with TemporaryFile("w+") as output:
            code = self.start(*command, env=env, output=output).wait(timeout)
            output.seek(0)
            said = output.read()
        assert code == 0, f"{' '.join(command)} ended with {code}:\n{said}"
        return said

    def start(self, *command: str, env: Mapping[str, str] | None = None, output: IO[str]) -> subprocess.Popen[str]:
        """Starts a command; its output goes to a file."""
        return subprocess.Popen(
            self.command(*command), env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, text=True
        )

    def processes(self) -> list[int]:
        """The numbers of the processes in it."""
        done = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False)
        return [int(word) for word in done.stdout.split()]

    def lose_power(self) -> None:
        """Kills all that runs in it, until nothing does."""
        for _ in range(100):
            numbers = self.processes()
            if not numbers:
                return
            for number in numbers:
                try:
                    os.kill(number, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.05)
        raise AssertionError(f"{self.name} still has processes: {self.processes()}")


def why_not() -> str | None:
    """Why there can be no such machines here; None where there can."""
    if shutil.which("ip") is None:
        return "there is no command ip (Debian: iproute2)"
    if os.geteuid() != 0:
        return "network namespaces want root"
    name = f"embft-probe-{secrets.token_hex(3)}"
    done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if done.returncode:
        return f"network namespaces are not allowed here: {done.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return None


@contextmanager
def two_machines() -> Iterator[tuple[Machine, Machine]]:
    """Two machines joined by a cable; what still runs in them at the end is killed. Skips the test where there can be none."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    token = secrets.token_hex(3)
    third = int(token[:2], 16)
    pair = (Machine(f"embft-{token}-1", f"10.231.{third}.1"), Machine(f"embft-{token}-2", f"10.231.{third}.2"))
    one, other = pair
    try:
        for machine in pair:
            _ip("netns", "add", machine.name)
        _ip("-n", one.name, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", other.name)
        for machine in pair:
            _ip("-n", machine.name, "addr", "add", f"{machine.address}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                _ip("-n", machine.name, "link", "set", device, "up")
        yield pair
    finally:
        for machine in pair:
            machine.lose_power()
            subprocess.run(["ip", "netns", "del", machine.name], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
