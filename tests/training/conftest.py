"""What the tests of trainings share."""

from __future__ import annotations

from pathlib import Path

import pytest
from forks import CONTEXT
from tiny import make_base


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the base model alone: made in another process, so that this one needs no torch."""
    folder = tmp_path_factory.mktemp("models")
    process = CONTEXT.Process(target=make_base, args=(folder,))
    process.start()
    process.join()
    assert process.exitcode == 0
    return folder
