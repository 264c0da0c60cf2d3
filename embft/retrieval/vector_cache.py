"""Vectors on disk, so that no text is embedded, or paid for, twice. The one door to all stored vectors.

A folder with two files for each model (`embft.retrieval.vector_files`), keyed by the hash of (model, prompt, text). Several
processes may use them at once. What is stored is looked at again when it is read: a row that is not what was written counts
as missing.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import RLock

import numpy as np
import numpy.typing as npt

from embft.errors import EndpointError, ModelError
from embft.models.vectors import TEXTS_AT_ONCE, StoredVectors, Vectors
from embft.progress import progress
from embft.retrieval.elsewhere import DistinctTexts, Elsewhere
from embft.retrieval.old_vectors import OldVectors
from embft.retrieval.vector_files import Keys, Places, VectorFiles, keys_of
from embft.services.vectors import usable_rows

logger = logging.getLogger(__name__)

VECTORS = "vectors"
"""The folder's name in a cache or a run folder."""
_OPEN = 4
"""Models whose files are kept open."""


class VectorCache:
    """A cache of vectors.

    Args:
        path: The folder; made where it is not there. An older version's file of this name, ``<path>.sqlite``, is read too.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: dict[str, VectorFiles] = {}
        self._lock = RLock()
        self._told = False

    def __getstate__(self) -> Path:
        """Another process opens the files for itself."""
        return self.path

    def __setstate__(self, path: Path) -> None:
        """See `__getstate__`."""
        VectorCache.__init__(self, path)

    def encode(
        self,
        model: str,
        prompt: str,
        texts: Sequence[str],
        encode: Callable[[Sequence[str]], Vectors],
        at_once: int | None = None,
    ) -> Vectors:
        """The same as `rows`, in memory; float32 [n_texts, length]."""
        return np.asarray(self.rows(model, prompt, texts, encode, at_once))

    def rows(
        self,
        model: str,
        prompt: str,
        texts: Sequence[str],
        encode: Callable[[Sequence[str]], Vectors],
        at_once: int | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> StoredVectors:
        """The vectors of texts, calling ``encode`` for the distinct ones that are not there yet.

        Args:
            model: Names the function from text to vector; another identity, other vectors.
            prompt: Put before each text; part of the key.
            texts: May hold duplicates.
            encode: Embeds texts (which do not carry the prompt) in order.
            at_once: Texts that it gets at once, if not as many as can be lost.
            elsewhere: Other machines that embed them, if there are enough.

        Raises:
            EndpointError: Vectors of another length than those that are stored of this model.
            ModelError: Vectors that are not finite, or not one for each text.
        """
        if not texts:
            return StoredVectors(np.zeros((0, 0), np.float32), np.zeros(0, np.int64))
        keys = keys_of(model, prompt, texts)
        firsts, owner = _distinct(keys)
        with self._lock, progress("embedding", unit="texts") as work:
            files = self._files(model)
            places = self._find(files, model, keys[firsts])
            missing = np.flatnonzero(places < 0)
            size, work.total, done = at_once or TEXTS_AT_ONCE, len(missing), 0
            asked = DistinctTexts(texts, firsts, lambda: self._find(files, model, keys[firsts]))
            if elsewhere is not None and elsewhere.takes(name := _name_of(keys[firsts]), len(missing)):
                for some, vectors in elsewhere.vectors(name, asked):
                    self._write(files, model, keys[firsts[some]], vectors)
                    done += len(some)
                    work.reach(done)
                places = asked.find()
                missing = np.flatnonzero(places < 0)
            for part in map(asked.longest_first, asked.parts(missing, size)):
                for start in range(0, len(part), size):
                    block = part[start : start + size]
                    places[block] = self._write(files, model, keys[firsts[block]], encode(asked.texts(block)))
                    done += len(block)
                    work.reach(done)
            return StoredVectors(files.map(), places[owner])

    def store(self, model: str, prompt: str, texts: Sequence[str], vectors: Vectors) -> None:
        """Puts vectors that were made elsewhere, such as by the last evaluation of a training, under their keys."""
        if not len(texts):
            return
        keys = keys_of(model, prompt, texts)
        with self._lock:
            files = self._files(model)
            self._write(files, model, keys, vectors, keep=files.find(keys)[0])

    def _files(self, model: str) -> VectorFiles:
        name = hashlib.sha256(model.encode("utf-8", "surrogatepass")).hexdigest()[:24]
        files = self._open.pop(name, None) or VectorFiles(self.path / name, model)
        self._open[name] = files
        while len(self._open) > _OPEN:
            del self._open[next(iter(self._open))]
        return files

    def _find(self, files: VectorFiles, model: str, keys: Keys) -> Places:
        places, damaged = files.find(keys)
        if damaged:
            logger.warning(
                "%s holds %s vectors of %s that are damaged or cannot be used: they are made again.",
                files.folder, f"{damaged:,}", model,
            )  # fmt: skip
        missing, older = np.flatnonzero(places < 0), self.path.with_name(f"{self.path.name}.sqlite")
        if len(missing) and older.exists():
            known, vectors = OldVectors(older).read(model, [key.tobytes() for key in keys[missing]])
            if known.any():
                if not self._told:
                    logger.info("%s is an older version's: what is needed of it is copied into %s.", older, self.path)
                self._told = True
                taken = files.add(keys[missing[known]], vectors)
                if taken is not None:
                    places[missing[known]] = taken
        return places

    def _write(
        self, files: VectorFiles, model: str, keys: Keys, vectors: Vectors, keep: Places | None = None
    ) -> Places:
        if vectors.ndim != 2 or len(vectors) != len(keys) or not vectors.shape[1] or not usable_rows(vectors).all():
            raise ModelError(
                f"{model} gave {len(keys):,} texts something else than one vector of finite numbers each. Nothing of it is "
                "kept; if the model runs in half precision, retrieval.precision=fp32 may mend it."
            )
        if keep is not None and (keep >= 0).all() and np.array_equal(files.rows[keep], vectors):
            return keep
        places = files.add(keys, vectors)
        if places is None:
            raise EndpointError(
                f"{model} gives vectors of {vectors.shape[1]:,} numbers now, and gave {files.length:,} before: another model "
                f"stands behind the same name. Have the first one served again, give the new one a name of its own, or "
                f"start with an empty cache (cache_dir=DIR, or move {files.folder} away). Nothing of it is kept."
            )
        return places


def _name_of(keys: Keys) -> str:
    """The same for the same texts and model."""
    return hashlib.sha256(keys.tobytes()).hexdigest()[:16]


def _distinct(keys: Keys) -> tuple[Places, npt.NDArray[np.int64]]:
    """The first place of each distinct key, in order; and for each key, which of them it is. int64 both."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    new = np.ones(len(keys), np.bool_)
    new[1:] = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
    first_of_group = order[new]
    ranks = np.empty(len(first_of_group), np.int64)
    ranks[np.argsort(first_of_group, kind="stable")] = np.arange(len(first_of_group))
    owner = np.empty(len(keys), np.int64)
    owner[order] = ranks[np.cumsum(new) - 1]
    return np.sort(first_of_group), owner
