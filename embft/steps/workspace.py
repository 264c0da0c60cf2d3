"""What every stage of a run has at hand: the configuration, the cache, and the base model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from embft.config import ExperimentConfig
from embft.retrieval.embedder import Embedder
from embft.source_code import code_of
from embft.stages import Build, StageCache, StageResult
from embft.steps.keys import settings_of

if TYPE_CHECKING:
    from embft.questions.elsewhere import Machines
    from embft.retrieval.passes import Elsewhere as Rankers
    from embft.training.tuning_task import Elsewhere

T = TypeVar("T")


@dataclass(frozen=True)
class Workspace:
    """Where a run's stages work.

    Attributes:
        config: All settings. A stage's build reads those of the groups that are in its key (`embft.steps.keys`).
        cache_dir: Stages, vectors, replies, downloads.
        used: By stage, the keys of the results that were used; it grows.
        machines: Other machines that a local LLM may be asked on.
    """

    config: ExperimentConfig
    cache_dir: Path
    used: dict[str, list[str]] = field(default_factory=dict, kw_only=True)
    machines: Machines | None = field(default=None, kw_only=True, compare=False, repr=False)

    def run(
        self,
        stage: str,
        build: Build,
        load: Callable[[Path], T],
        *,
        inputs: Sequence[str],
        values: Mapping[str, object] | None = None,
    ) -> StageResult[T]:
        """Runs a stage through the cache.

        Args:
            stage: Its name.
            build: Makes the result. The module that defines it is where the search for the stage's code begins.
            load: Reads the result.
            inputs: Keys and digests of what the build is given.
            values: What it is given besides, by name: a seed, a device.
        """
        settings = {**settings_of(stage, self.config), **(values or {})}
        result = StageCache(self.cache_dir).run(
            stage, settings=settings, inputs=inputs, code=code_of(build.__module__), build=build, load=load
        )
        self.used.setdefault(stage, []).append(result.key)
        return result


@dataclass(frozen=True)
class Lab(Workspace):
    """A workspace with the run's base model.

    Attributes:
        base: The base model, and how it is searched.
        elsewhere: Other machines, which train; None: this one does.
        rankers: Gives other machines that rank, for what a ranking is made from; None: this one does.
    """

    base: Embedder
    elsewhere: Elsewhere | None = None
    rankers: Callable[[Sequence[object]], Rankers] | None = field(default=None, compare=False, repr=False)

    @property
    def seed(self) -> int:
        """The run's."""
        return self.config.seed

    def with_seed(self, seed: int) -> Lab:
        """The same for another seed."""
        return replace(self, config=replace(self.config, seed=seed))

    def with_systems(self, *systems: str) -> Lab:
        """The same with other systems to rank."""
        evaluation = replace(self.config.evaluation, systems=list(systems))
        return replace(self, config=replace(self.config, evaluation=evaluation))
