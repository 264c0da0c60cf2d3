"""A cross-encoder: a model that reads question and passage together and gives the pair a score."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.config.reranking import RerankerConfig
from embft.errors import ModelError
from embft.models.cross_encoder_folder import check_cross_encoder
from embft.models.encoder import Computing, computing_in
from embft.models.hardware import pick_device, pick_precision
from embft.models.loading import one_line, quiet
from embft.models.source import folder_fingerprint, hub_is_forbidden, hub_snapshot

Scores = npt.NDArray[np.float32]

_opened: dict[str, PairModel] = {}
"""The last one: what is opened again in one run need not be loaded again."""
_AGAIN = "Get the model's files again."
_TRIAL = (("a question", "an answer to it"), ("a question", "b"), ("another one, which is longer", "an answer to it"))


class PairModel:
    """A cross-encoder, loaded when its first score is needed.

    Args:
        folder: Checked by `check_cross_encoder`.
        name: What a person calls it.
        max_length: Tokens of a pair; None: the model's own limit.
        computing: Device, batch size and precision.
    """

    def __init__(self, folder: Path, name: str, max_length: int | None, computing: Computing) -> None:
        self.folder = folder
        self.name = name
        self.max_length = max_length
        self.computing = computing

    @cached_property
    def precision(self) -> str:
        """What scores are worked out in; never ``auto``."""
        wanted = self.computing.precision
        return "fp32" if wanted == "fp32" else pick_precision(wanted, pick_device(self.computing.device))

    @cached_property
    def identity(self) -> str:
        """Names the function from pair to score: every file that is loaded, the limit, the precision."""
        return f"cross_encoder:{folder_fingerprint(self.folder)}:{self.max_length or 'own'}:{self.precision}"

    @cached_property
    def model(self) -> Any:
        """The `CrossEncoder`, tried on three pairs.

        Raises:
            ModelError: Weights are missing or not finite, or the model cannot score a pair.
        """
        import torch
        from sentence_transformers import CrossEncoder

        with quiet():
            try:
                model = CrossEncoder(
                    str(self.folder),
                    device=pick_device(self.computing.device),
                    local_files_only=True,
                    trust_remote_code=False,
                    max_length=self._limit(),
                    model_kwargs={"use_safetensors": True, "dtype": torch.float32},
                )
            except Exception as error:  # any error while loading a folder from outside is the folder's fault
                raise ModelError(f"The cross-encoder in {self.folder} cannot be loaded: {one_line(error)}") from error
            self._check_complete(model)
        self._try(model)
        return model

    def scores(self, pairs: Sequence[tuple[str, str]]) -> Scores:
        """Returns float32 [n_pairs], raw: without the sigmoid, which would make the best ones equal in float32."""
        return self._predict(self.model, pairs)

    def _predict(self, model: Any, pairs: Sequence[tuple[str, str]]) -> Scores:
        import torch

        with computing_in(self.precision, model.device.type):
            scores = model.predict(
                [list(pair) for pair in pairs],
                batch_size=self.computing.at_once,
                show_progress_bar=False,
                activation_fn=torch.nn.Identity(),
                convert_to_numpy=True,
            )
        scores = np.asarray(scores, np.float32)
        if scores.shape != (len(pairs),) or not np.isfinite(scores).all():
            raise ModelError(
                f"Cross-encoder {self.name} gives a pair of texts something else than one finite score. {_AGAIN}"
            )
        return scores

    def _limit(self) -> int | None:
        """The limit; beyond a model's positions a pair would end in an error."""
        from transformers import AutoConfig

        config = AutoConfig.from_pretrained(self.folder, local_files_only=True, trust_remote_code=False)
        positions = getattr(config, "max_position_embeddings", None)
        if not isinstance(positions, int) or positions <= 0:
            return self.max_length
        if config.model_type in {"roberta", "xlm-roberta", "camembert", "mpnet"}:
            positions -= (config.pad_token_id or 0) + 1  # they count from the padding token's number on
        if self.max_length is not None and self.max_length > positions:
            raise ModelError(
                f"evaluation.reranker.max_length={self.max_length} is beyond the {positions} positions of {self.name}: lower it."
            )
        return self.max_length or min(positions, self._own_limit() or positions)

    def _own_limit(self) -> int | None:
        from transformers import AutoTokenizer

        limit = AutoTokenizer.from_pretrained(
            self.folder, local_files_only=True, trust_remote_code=False
        ).model_max_length
        return limit if isinstance(limit, int) and 0 < limit < 1_000_000 else None

    def _check_complete(self, model: Any) -> None:
        """Weights that it does not find transformers fills that it does not find with random numbers and continues."""
        transformer = model.model
        try:
            _, report = type(transformer).from_pretrained(
                self.folder, local_files_only=True, use_safetensors=True, output_loading_info=True, device_map="meta"
            )
        except Exception as error:
            raise ModelError(f"The weights of {self.name} cannot be read: {one_line(error)}") from error
        if missing := sorted(report["missing_keys"]):
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise ModelError(
                f"Weights of cross-encoder {self.name} are missing: {missing[0]}{more}. They would be random numbers. {_AGAIN}"
            )
        for name, weight in model.named_parameters():
            if not bool(weight.isfinite().all()):
                raise ModelError(
                    f"The weights of {self.name} are damaged: {name} holds numbers that are not finite. {_AGAIN}"
                )

    def _try(self, model: Any) -> None:
        try:
            self._predict(model, _TRIAL)
        except ModelError:
            raise
        except Exception as error:  # any error of its parts when they run together
            raise ModelError(
                f"Cross-encoder {self.name} cannot score a pair of texts: {one_line(error)}. {_AGAIN}"
            ) from error


def open_cross_encoder(config: RerankerConfig, computing: Computing | None) -> PairModel:
    """The cross-encoder that the configuration names: a folder, the hub's cache, or the hub.

    Raises:
        ModelError: It is not available, or it is not a cross-encoder that embft loads. The message says what to do.
    """
    name, folder = _found(config)
    model = PairModel(folder, name, config.max_length, computing or Computing())
    if (_opened.get("last") or model).identity != model.identity:
        _opened.clear()
    return _opened.setdefault("last", model)


def cross_encoder_fingerprint(config: RerankerConfig) -> str:
    """The fingerprint of its folder, without opening it.

    Raises:
        ModelError: As `open_cross_encoder`.
    """
    return folder_fingerprint(_found(config)[1])


def _found(config: RerankerConfig) -> tuple[str, Path]:
    """Its name and its folder, which is checked."""
    if config.path:
        folder = Path(config.path).expanduser()
        if not folder.is_dir():
            raise ModelError(
                f"evaluation.reranker.path={config.path} is not a folder. Give the folder that holds config.json."
            )
        name = config.path
    else:
        name = config.id or ""
        folder = _from_hub(name, config.revision)
    check_cross_encoder(name, folder)
    return name, folder


def _from_hub(name: str, revision: str | None) -> Path:
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        cached = hub_snapshot(name, revision, local_only=True)
        if any(cached.glob("*.safetensors")):
            return cached
    except (LocalEntryNotFoundError, OSError, ValueError):
        pass  # not in the cache: the hub is next
    why = "it is not in the local cache, and HF_HUB_OFFLINE=1 forbids the hub"
    if not hub_is_forbidden():
        try:
            return hub_snapshot(name, revision, local_only=False)
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError, RuntimeError) as error:
            why = f"the hub does not give it ({type(error).__name__})"
    raise ModelError(
        f"Cross-encoder {name} is not available: {why}. With a connection: hf download {name}. Or give a copy of its folder: "
        "evaluation.reranker.path=DIR. evaluation.reranker.kind=late needs no other model."
    )
