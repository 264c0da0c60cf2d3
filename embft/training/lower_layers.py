"""The frozen lower layers of a transformer, worked out once a text instead of once a step.

What the frozen layers make of a text never changes during a fine-tune, so neither the epochs after the first nor the dev
evaluations need to work it out again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from embft.progress import progress

LIMIT_BYTES = 2 << 30
"""Memory that the kept activations may take; texts beyond it are worked out each time."""


class LowerLayers:
    """Keeps what the frozen layers of a model give for the texts that `fill` was asked to remember.

    The layers' ``forward`` is replaced, not the layers: names of weights, and with them every saved file, stay as they are.

    Args:
        model: A sentence-transformers model without dropout, its lowest layers frozen.
        layers: These layers, from the bottom.
    """

    def __init__(self, model: Any, layers: Sequence[nn.Module], limit_bytes: int = LIMIT_BYTES) -> None:
        self._model = model
        self._kept: dict[bytes, Tensor] = {}
        self._asked: set[tuple[str, str]] = set()
        self._keys: list[bytes] | None = None
        self._filling = False
        self._room = limit_bytes
        self._beside: tuple[Any, ...] | None = None
        model[0].register_forward_pre_hook(self._note)
        *inner, last = layers
        for layer in inner:
            layer.forward = self._skipping(layer.forward)
        last.forward = self._recalling(last.forward)

    def fill(self, texts: Sequence[str], prompt: str, batch_size: int = 32) -> None:
        """Remembers texts that it does not know yet, as long as there is room.

        In an order and in batches that depend on the texts alone: a resumed training gets bit by bit the same.
        """
        new = {text for text in texts if (prompt, text) not in self._asked}
        self._asked.update((prompt, text) for text in new)
        ordered = sorted(new, key=lambda text: (-len(text), text))
        training = self._model.training
        self._model.eval()
        self._filling = True
        try:
            with progress("frozen layers", len(ordered), "texts") as work:
                for start in range(0, len(ordered), batch_size):
                    if self._room <= 0:
                        break
                    self._fill_batch(ordered[start : start + batch_size], prompt)
                    work.advance(batch_size)
        finally:
            self._filling = False
            self._model.train(training)

    def _fill_batch(self, texts: Sequence[str], prompt: str) -> None:
        features = self._model.preprocess(texts, prompt=prompt or None)
        features = {
            key: value.to(self._model.device) if isinstance(value, Tensor) else value for key, value in features.items()
        }
        try:
            with torch.no_grad():
                self._model[0](features)
        except _EnoughError:
            pass  # the layers above are not needed

    def _note(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        """Before each forward pass: which texts it is about."""
        self._keys = None
        ids, mask = args[0].get("input_ids"), args[0].get("attention_mask")
        if ids is None or mask is None or mask.shape != ids.shape:
            return
        if "query_expansion_positions" in args[0]:
            return  # tokens count here that the mask leaves out
        lengths = mask.sum(1)
        if not bool((mask[:, :1] == 1).all()):
            return  # padded on the left: positions, and so activations, depend on the batch
        self._keys = [row[:length].numpy().tobytes() for row, length in zip(ids.cpu(), lengths.tolist(), strict=True)]

    @property
    def _hit(self) -> bool:
        return self._keys is not None and not self._filling and all(key in self._kept for key in self._keys)

    def _skipping(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def forward(hidden: Tensor, *args: Any, **kwargs: Any) -> Any:
            if self._hit:
                return self._as_given(hidden)
            return self._noted(original(hidden, *args, **kwargs))

        return forward

    def _recalling(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def forward(hidden: Tensor, *args: Any, **kwargs: Any) -> Any:
            if self._hit and self._keys is not None:
                recalled = torch.zeros_like(hidden)
                for row, key in zip(recalled, self._keys, strict=True):
                    kept = self._kept[key]
                    row[: len(kept)] = kept
                return self._as_given(recalled)
            result = self._noted(original(hidden, *args, **kwargs))
            if self._filling:
                if any(value is not None for value in self._beside or ()):
                    self._room = 0  # layers above need more than activations (T5's table of distances): nothing is kept
                else:
                    self._keep(result if self._beside is None else result[0])
                raise _EnoughError
            return result

        return forward

    def _noted(self, result: Any) -> Any:
        """What a layer gives, once it is known in what form that comes: activations alone, or with others beside them."""
        self._beside = result[1:] if isinstance(result, tuple) else None
        return result

    def _as_given(self, hidden: Tensor) -> Any:
        return hidden if self._beside is None else (hidden, *self._beside)

    def _keep(self, hidden: Tensor) -> None:
        width = hidden.element_size() * hidden.shape[2]
        for row, key in zip(hidden, self._keys or (), strict=False):
            length = len(key) // 8  # int64 ids
            if self._room >= length * width:
                self._room -= length * width
                self._kept[key] = row[:length].clone()


class _EnoughError(Exception):
    """Ends a forward pass above the frozen layers."""
