"""What decides a run and may change while its settings stay: the code, the libraries, and the files that the settings name.

A run writes this into its folder as it begins, so that a sweep which is started again knows whether a finished job is still
what it would be today.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

from embft.config import ExperimentConfig
from embft.config.held_back_writer import held_back_writer
from embft.corpus.documents import corpus_digests
from embft.dataset.reading import dataset_files
from embft.errors import EmbftError
from embft.files import digest, file_digest, folder_digest
from embft.models.cross_encoder import cross_encoder_fingerprint
from embft.models.source import resolve
from embft.questions import read_human
from embft.questions.local_llm import find_weights
from embft.runs.made_from import MISSING
from embft.source_code import code_of
from embft.steps.attempts import values_of
from embft.steps.general import check_general
from embft.steps.held_back import writes_held_back
from embft.steps.taken_over import source_digest

_PACKAGE = Path(__file__).parents[1]
_NO_DATA = ("__pycache__", "labelling", "export")
"""Folders of embft whose files no run reads."""


def origins_of(config: ExperimentConfig, cache_dir: Path) -> dict[str, str]:
    """What a run would be made of now: a name that a person understands, to a digest or a version.

    Which device computes is no part of it: a result of another machine is a result of these settings all the same.

    Args:
        config: As it runs, see `embft.config.untrained.leave_out_tuned`.
        cache_dir: Where a download lies.

    """
    code = code_of("embft.pipeline")
    origins = {"embft's code": code.digest, "embft's prompts, prices and templates": _data_digest()}
    origins |= {f"the library {name}": version for name, version in code.libraries.items()}
    for name, content in _files_of(config, cache_dir):
        try:
            origins[name] = content()
        except (EmbftError, OSError):
            # The run says so itself, if it needs it.
            origins[name] = MISSING
    return origins


def _files_of(config: ExperimentConfig, cache_dir: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    """What the settings name, with how its content is looked at."""
    questions, training, evaluation = config.questions, config.training, config.evaluation
    human, source = questions.human, config.dataset.test_from
    if config.dataset.kind == "generated":
        yield "the documents of corpus", lambda: digest(corpus_digests(config.corpus, cache_dir))
        if source:
            yield "dataset.test_from", lambda: source_digest(source)
        elif human:
            yield "questions.human", lambda: digest([asdict(row) for row in read_human(human)])
        if writes_held_back(config):
            yield "prompts or weights of questions.test", lambda: digest(values_of(held_back_writer(config), 0))
    else:
        yield "the files of dataset", lambda: digest([file_digest(path) for path in dataset_files(config.dataset)])
    yield "prompts or weights of questions", lambda: digest(values_of(questions, 0))
    if config.model.kind == "weights":
        yield "the files of model", lambda: resolve(config.model).fingerprint
    if "reranked" in evaluation.systems and evaluation.reranker.kind == "cross_encoder":
        yield "the files of evaluation.reranker", lambda: cross_encoder_fingerprint(evaluation.reranker)
    if training.enabled:
        if training.guide:
            yield "training.guide", partial(folder_digest, Path(training.guide).expanduser())
        if training.teacher and training.teacher != "fused":
            yield "training.teacher", partial(folder_digest, Path(training.teacher).expanduser())
    judge, judging, general = evaluation.judge, evaluation.judging, evaluation.general
    if judge == "llm" and judging.backend == "local_llm":
        yield (
            "the weights of evaluation.judging",
            lambda: file_digest(find_weights(judging.model, "evaluation.judging")),
        )
    elif judge not in {"none", "llm"}:
        yield "evaluation.judge", lambda: file_digest(Path(judge).expanduser())
    if general is not None:
        yield "evaluation.general", lambda: digest([file_digest(path) for path in check_general(general)])


def _data_digest() -> str:
    """Of what embft carries besides code: prompts, prices, templates, bundled documents."""
    rows = []
    for root, folders, files in os.walk(_PACKAGE):
        folders[:] = sorted(name for name in folders if name not in _NO_DATA)
        rows += [(name, file_digest(Path(root, name))) for name in sorted(files) if not name.endswith((".py", ".pyc"))]
    return digest(rows)
