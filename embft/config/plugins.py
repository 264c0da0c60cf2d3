"""Hydra's launchers and sweepers with embft's defaults: the files of configs/hydra/ stand before those of the packages.

Hydra takes a package's own settings for the schema of a file of the same name, warns of that, and refuses it where they have a
defaults list. So they get another name, by which embft's files extend them.
"""

from __future__ import annotations

SUFFIX = "_package"
"""Behind the name of a package's own settings: ``hydra/launcher: joblib_package``."""
_RENAMED = {
    "launcher": ("joblib", "ray", "submitit_local"),
    "sweeper": ("optuna",),
    "sweeper/sampler": ("tpe", "random"),
}


def rename_packages_settings() -> None:
    """Gives the settings of launchers and sweepers that are installed their other name."""
    from hydra.core.config_store import ConfigStore
    from hydra.core.plugins import Plugins

    Plugins.instance()  # which imports the packages; they store their settings then
    for group, names in _RENAMED.items():
        stored = ConfigStore.instance().repo.get("hydra", {})
        for part in group.split("/"):
            stored = stored.get(part, {})
        for name in names:
            if (node := stored.pop(f"{name}.yaml", None)) is not None:
                node.name = f"{name}{SUFFIX}.yaml"
                stored[node.name] = node
