"""A run's tuned model on the Hugging Face hub: its folder, its card with the figures, and the figures as MTEB has them.

Without ``--public`` the repository is private: a model remembers what it was tuned on.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embft import __version__
from embft.errors import EmbftError, RunError
from embft.files import file_digest, read_json
from embft.records import HELD_OUT_FOLDER, MODEL_FOLDER

RESULTS = "results/embft.json"
_REFITTED = (
    "This model was trained on everything after the run's figures were measured (training.refit): they are those of the model in "
    f"{HELD_OUT_FOLDER}/, so neither a model index nor {RESULTS} is sent with it."
)
_REPOSITORY = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line and publishes. Returns 0, and 2 for a mistake in it, in the run, or with the hub."""
    parser = argparse.ArgumentParser(
        description="Puts a run's tuned model on the Hugging Face hub: a private repository unless --public is given.",
        epilog="Log in first: hf auth login, or HF_TOKEN. HF_ENDPOINT names another hub than huggingface.co.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a finished run's folder")
    parser.add_argument("repository", metavar="OWNER/NAME")
    parser.add_argument(
        "--public", action="store_true", help="for everybody to see (a repository that exists stays as it is)"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be sent, and send nothing")
    options = parser.parse_args(arguments)
    try:
        if not _REPOSITORY.fullmatch(options.repository):
            raise RunError(f"'{options.repository}' is no name of a repository: it is OWNER/NAME.")
        package = package_of(options.run, options.repository)
        for line in package.listing():
            print(line)
        if options.dry_run:
            print(
                f"Nothing was sent. {options.repository} would be {'public' if options.public else 'private'} if it is new."
            )
            return 0
        print(f"Published: {send(package, public=options.public)}")
    except EmbftError as error:
        print(f"publish: {error}", file=sys.stderr)
        return 2
    return 0


@dataclass(frozen=True)
class Package:
    """What is sent.

    Attributes:
        repository: ``owner/name``.
        files: Path in the repository to the local file or the content.
        note: What whoever sends it must know; empty where there is nothing.
    """

    repository: str
    files: Mapping[str, Path | bytes]
    note: str = ""

    def listing(self) -> Iterator[str]:
        """A line for each file, with its size, and the note."""
        for name, content in self.files.items():
            size = content.stat().st_size if isinstance(content, Path) else len(content)
            yield f"{size:>13,} bytes  {name}"
        if self.note:
            yield self.note


def package_of(run: Path, repository: str) -> Package:
    """Reads a run's model and figures.

    Raises:
        RunError: It is no finished run, or it has no tuned model.
    """
    file = run / "metrics.json"
    if not file.is_file():
        raise RunError(f"{run} has no metrics.json: give a finished run's folder.")
    try:
        metrics = read_json(file)
        tuned = metrics["systems"].get("tuned")
        good = metrics["status"] == "ok"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{file} is damaged ({type(error).__name__}). Run the experiment again.") from error
    folder = run / MODEL_FOLDER
    if not good or tuned is None or not (folder / "README.md").is_file():
        raise RunError(f"{run} has no tuned model to publish: its training was left out, or it did not end well.")
    files: dict[str, Path | bytes] = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    if metrics.get("refit") is not None:
        return Package(repository, files, _REFITTED)
    files["README.md"] = card_with_index(folder / "README.md", repository.partition("/")[2], metrics).encode()
    test = run / "dataset" / "test.json"
    revision = file_digest(test)[:16] if test.is_file() else None
    files[RESULTS] = (json.dumps(mteb_results(metrics, revision), indent=2, ensure_ascii=False) + "\n").encode()
    return Package(repository, files)


def card_with_index(card: Path, name: str, metrics: Mapping[str, Any]) -> str:
    """The card, with the figures in its front matter as the hub's model-index has them."""
    from huggingface_hub import EvalResult, ModelCard

    loaded = ModelCard.load(card)
    loaded.data.model_name = name
    loaded.data.eval_results = [
        EvalResult(
            task_type="information-retrieval",
            task_name="Information Retrieval",
            dataset_type="private",
            dataset_name=f"{_name_of(metrics)}, test",
            metric_type=metric,
            metric_name=metric.replace("_", " ").title(),
            metric_value=value,
        )
        for metric, value in metrics["systems"]["tuned"]["metrics"].items()
    ]
    return str(loaded)


def mteb_results(metrics: Mapping[str, Any], revision: str | None) -> dict[str, Any]:
    """The tuned model's figures on the run's test, in the form of a result file of MTEB.

    Args:
        metrics: The run's metrics.json.
        revision: Digest of the test, if it is there.
    """
    tuned = metrics["systems"]["tuned"]["metrics"]
    scores: dict[str, Any] = {"hf_subset": "default", "languages": []}
    for metric, value in tuned.items():
        function, _, rest = metric.partition("_")
        kind, _, cutoff = rest.partition("@")
        if function == "cosine":
            scores[f"{'hit_rate' if kind == 'accuracy' else kind}_at_{cutoff}"] = value
    scores["main_score"] = scores["ndcg_at_10"]
    seconds = sum(timing["seconds"] for timing in metrics["timings"].values())
    return {
        "task_name": f"embft: {_name_of(metrics)}",
        "dataset_revision": revision,
        "mteb_version": None,
        "embft_version": __version__,
        "scores": {"test": [scores]},
        "evaluation_time": seconds,
        "kg_co2_emissions": None,
        "date": time.strftime("%Y-%m-%d"),
    }


def send(package: Package, *, public: bool) -> str:
    """Makes the repository, if it is new, and sends everything in one commit. Returns its address.

    Raises:
        RunError: The hub refuses, or cannot be reached. Nothing is half sent: a commit is whole or not there.
    """
    import httpx
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, OfflineModeIsEnabled

    api = HfApi()
    operations = [
        CommitOperationAdd(path_in_repo=name, path_or_fileobj=content if isinstance(content, bytes) else str(content))
        for name, content in package.files.items()
    ]
    try:
        address = api.create_repo(package.repository, private=not public, exist_ok=True)
        api.create_commit(package.repository, operations, commit_message=f"Tuned by embft {__version__}")
    except LocalTokenNotFoundError as error:
        raise RunError("The hub wants to know who you are: hf auth login, or set HF_TOKEN.") from error
    except OfflineModeIsEnabled as error:
        raise RunError("HF_HUB_OFFLINE is set, and publishing needs the hub: unset it.") from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else None
        hint = " Log in with a token that may write: hf auth login, or HF_TOKEN." if status in {401, 403} else ""
        raise RunError(f"The hub refuses: {' '.join(str(error).split())[:300]}.{hint}") from error
    except (httpx.HTTPError, OSError, ValueError) as error:  # ValueError: an answer that is no JSON
        raise RunError(
            f"The hub cannot be reached, or does not answer as a hub does ({type(error).__name__}). Nothing was published."
        ) from error
    return str(address)


def _name_of(metrics: Mapping[str, Any]) -> str:
    dataset = metrics["dataset"]
    return str(dataset.get("corpus") or dataset.get("name") or "documents")
