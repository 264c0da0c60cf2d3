"""What is installed here and what of it can be used: the first thing to look at when something does not work.

Nothing is downloaded, and no secret is printed: only whether there is one.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from embft import __version__
from embft.config import ModelConfig, register
from embft.config.composing import CONFIG_DIR, as_config, config_tree
from embft.errors import ConfigError
from embft.models.packages import PACKED, is_installed

_PACKAGES = ("torch", "transformers", "sentence-transformers", "datasets", "hydra-core", "wandb", "openai", "pypdfium2")
_PROGRAMS = {
    "tesseract": "corpus.ocr=auto reads scanned pages",
    "chromium": "embft print-report",
    "nvidia-smi": "NVIDIA's driver",
}
_KEYS = ("OPENAI_API_KEY", "HF_TOKEN", "WANDB_API_KEY")
_LAUNCHERS = {
    "joblib": "hydra_plugins.hydra_joblib_launcher",
    "submitit_local, submitit_slurm": "hydra_plugins.hydra_submitit_launcher",
    "ray": "hydra_plugins.hydra_ray_launcher",
    "optuna": "hydra_plugins.hydra_optuna_sweeper",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints what there is. Returns 0; 1 where something that embft needs is missing or too old."""
    parser = argparse.ArgumentParser(
        description="Shows what is installed, and which models, devices and launchers can be used."
    )
    parser.parse_args(arguments)
    console = Console(highlight=False)
    console.print(f"[b]embft {__version__}[/b], Python {platform.python_version()}, {platform.platform(terse=True)}")
    broken = list(_broken(""))
    for title, rows in (
        ("Packages", [(name, _version(name) or "missing") for name in _PACKAGES]),
        ("Extras", list(_extras())),
        ("Devices", list(_devices())),
        ("Models", list(_models())),
        ("Launchers and sweepers", [(name, _yes(_has(module))) for name, module in _LAUNCHERS.items()]),
        ("Programs", [(name, f"{_yes(bool(shutil.which(name)))}: {use}") for name, use in _PROGRAMS.items()]),
        ("Keys", [(name, "set" if os.environ.get(name) else "not set") for name in _KEYS]),
        ("Weights & Biases", [("runs go", _wandb())]),
    ):
        table = Table(
            title=title, title_justify="left", title_style="bold", show_header=False, box=None, pad_edge=False
        )
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for row in rows:
            table.add_row(*map(escape, row))
        console.print()
        console.print(table)
    console.print()
    for line in broken:
        console.print(f"[b]Broken:[/b] {escape(line)}")
    console.print("Nothing that embft needs is missing." if not broken else f"Mend it with: pip install {_all(broken)}")
    return int(bool(broken))


def _broken(extra: str) -> Iterator[str]:
    """Requirements of embft, or of one of its extras, that are not met."""
    from packaging.requirements import Requirement

    try:
        lines = metadata.requires("embft") or []
    except metadata.PackageNotFoundError:
        return
    for line in lines:
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
            continue
        if wanted.marker is None and extra:
            continue
        if extra and wanted.marker is not None and wanted.marker.evaluate({"extra": ""}):
            continue
        installed = _version(wanted.name)
        if installed is None or not wanted.specifier.contains(installed, prereleases=True):
            yield f"{wanted.name}{wanted.specifier}" + (f" ({installed} is installed)" if installed else "")


def _extras() -> Iterator[tuple[str, str]]:
    try:
        names = metadata.metadata("embft").get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        names = []
    for name in sorted(names):
        lacking = list(_broken(name))
        yield name, f"missing {', '.join(lacking)}: pip install 'embft[{name}]'" if lacking else "yes"


def _devices() -> Iterator[tuple[str, str]]:
    yield "cpu", f"{os.cpu_count()} cores"
    try:
        import torch
    except ImportError:
        return
    for place in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(place)
        yield f"cuda:{place}", f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    if torch.backends.mps.is_available():
        yield "mps", "yes"
    if not torch.cuda.is_available():
        driver = shutil.which("nvidia-smi") and subprocess.run(["nvidia-smi", "-L"], capture_output=True, check=False)
        seen = driver and driver.returncode == 0
        yield (
            "cuda",
            f"no: torch {torch.__version__} "
            + ("does not use the card that nvidia-smi sees" if seen else "sees no card"),
        )


def _models() -> Iterator[tuple[str, str]]:
    register()
    tree = config_tree(CONFIG_DIR)
    for name in tree.options("model"):
        if name == "schema":
            continue
        try:
            config = as_config(tree.compose([f"model={name}"]).experiment).model
        except ConfigError as error:
            yield name, str(error)
            continue
        yield name, _where(config)


def _where(config: ModelConfig) -> str:
    """Where its weights would come from, without fetching them."""
    from huggingface_hub import try_to_load_from_cache

    if config.kind == "endpoint":
        name = config.endpoint.api_key_env
        return (
            f"an API; {name} is {'set' if os.environ.get(name) else 'not set'}" if name else "an API that wants no key"
        )
    if config.package and (is_installed(config.package) if config.package in PACKED else _has(config.package)):
        return f"ready: package {config.package}"
    if config.id and any(
        isinstance(try_to_load_from_cache(config.id, file), str) for file in ("config.json", "modules.json")
    ):
        return f"ready: {config.id} is in the hub's cache"
    way = f"; without a hub: {PACKED[config.package].command}" if config.package in PACKED else ""
    offline = os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}
    return f"not here: {config.id} comes from the hub" + (" (HF_HUB_OFFLINE is set)" if offline else "") + way


def _wandb() -> str:
    if not _has("wandb"):
        return "nowhere: wandb is not installed"
    mode = os.environ.get("WANDB_MODE", "")
    if mode:
        return f"where WANDB_MODE={mode} says"
    netrc = any((Path.home() / name).is_file() for name in (".netrc", "_netrc"))
    has_key = bool(os.environ.get("WANDB_API_KEY")) or netrc
    return "online, if its server answers" if has_key else "to an offline folder: no key was found (wandb login)"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _yes(there: bool) -> str:
    return "yes" if there else "no"


def _all(broken: Sequence[str]) -> str:
    return " ".join(f"'{line.partition(' (')[0]}'" for line in broken)
