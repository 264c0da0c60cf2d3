"""Which vectors can be used: one rule for those that arrive and for those that were stored."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def usable_rows(vectors: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Returns bool [n]: rows of finite numbers whose length, in float32, is a number above 0.

    A row of zeros points nowhere, and one of huge numbers has no length in float32: neither can be ranked by cosine.
    """
    if vectors.ndim != 2:
        return np.zeros(len(vectors), np.bool_)
    with np.errstate(over="ignore", invalid="ignore"):
        single = vectors.astype(np.float32, copy=False)
        lengths = np.linalg.norm(single, axis=1)
        usable: npt.NDArray[np.bool_] = np.isfinite(lengths) & (lengths > 0) & np.isfinite(single).all(axis=1)
    return usable
