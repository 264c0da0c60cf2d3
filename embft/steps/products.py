"""The dataset and the models of a run, as trackers are told of them: what it used, and what it made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from embft.config import ModelConfig
from embft.records import HELD_OUT_FOLDER, MODEL_FOLDER
from embft.results import Outcome, Tuned
from embft.tracking import Product

_HUB = "https://huggingface.co/"


def products_of(outcome: Outcome, folder: Path) -> list[Product]:
    """What a run used (its dataset, its base model), then what it made (tuned models).

    Args:
        outcome: The whole result.
        folder: The run's, with its dataset and its models.
    """
    config, report = outcome.config, outcome.dataset
    splits = sorted((folder / "dataset").glob("*.json"))
    questions = {"questions": dict(report.questions), "chunks": dict(report.chunks)}
    used = Product("dataset", "dataset", False, files=splits, facts={"config": config.dataset.name, **questions})
    return [used, _base(config.model, outcome.model_name), *_made(outcome, folder)]


def _made(outcome: Outcome, folder: Path) -> Iterator[Product]:
    if outcome.tuned is None:
        return
    yield _tuned("model", outcome, outcome.refitted or outcome.tuned, folder / MODEL_FOLDER)
    if outcome.config.training.refit:
        yield _tuned("model-held-out", outcome, outcome.tuned, folder / HELD_OUT_FOLDER)


def _tuned(name: str, outcome: Outcome, tuned: Tuned, folder: Path) -> Product:
    facts = {
        "run": outcome.experiment.name,
        "base": outcome.model_name,
        "training": outcome.config.training.name,
        "fingerprint": tuned.fingerprint,
        "commit": outcome.experiment.commit,
        outcome.config.evaluation.objective: outcome.objective,
    }
    return Product(name, "model", True, files=[folder], facts=facts)


def _base(config: ModelConfig, name: str) -> Product:
    address = None
    if config.kind == "endpoint":
        address = config.endpoint.base_url
    elif config.path is not None:
        address = Path(config.path).expanduser().absolute().as_uri()
    elif config.package is None and config.id is not None:
        address = f"{_HUB}{config.id}" + (f"/tree/{config.revision}" if config.revision else "")
    facts = {"name": name, "id": config.id, "revision": config.revision, "package": config.package}
    return Product(f"base-{config.name}", "model", False, address=address, facts=facts)
