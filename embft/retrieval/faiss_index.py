"""Indexes of faiss over the vectors of windows or chunks: built once, kept as a file, asked for the nearest ones.

HNSW: Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable Small World
graphs", TPAMI 2020. IVF-PQ: Jegou, Douze and Schmid, "Product Quantization for Nearest Neighbor Search", TPAMI 2011. The library:
Douze et al., "The Faiss library", arXiv 2401.08281.
"""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embft.config import FaissConfig
from embft.damaged import locked, make_folder
from embft.errors import ModelError
from embft.files import digest, file_digest, read_json, replacing, write_json
from embft.models.vectors import AnyVectors, Vectors
from embft.progress import progress

logger = logging.getLogger(__name__)

INDEXES = "indexes"
"""The folder's name beside that of the vectors."""
_BLOCK = 1 << 14
_SEED = 21
_LEARNT_FROM = 100_000
"""Vectors at most that cells and codes are learnt from, unless the cells want more."""
_PER_CELL = 40
"""Vectors that faiss wants to learn a cell from."""
_CODES = 256
"""Values of a byte of a product quantizer: as many vectors it needs to be learnt from."""
_READ_BY = {
    "hnsw": ("links", "build_effort", "effort"),
    "ivf_pq": ("lists", "probes", "code_bytes"),
    "int8": (),
    "binary": (),
}
"""By kind: the settings that it reads."""
_WHILE_SEARCHING = ("effort", "probes")

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FaissIndex:
    """An index, ready to be asked.

    Attributes:
        settings: Of its kind.
        size: Vectors in it.
        bytes: Of its file, which is what it takes in memory.
        build_seconds: Whenever it was built.
    """

    settings: FaissConfig
    size: int
    bytes: int
    build_seconds: float
    _index: Any

    def nearest(self, questions: Vectors, count: int, harder: int = 1) -> Places:
        """The places of the vectors with the highest inner product, best first, as far as the index finds them; -1: none.

        Args:
            questions: float32 [n_questions, dim].
            count: How many.
            harder: Times the effort that the settings name.

        Returns:
            int64 [n_questions, count].
        """
        count = min(count, self.size)
        settings, index = self.settings, self._index
        if settings.kind == "hnsw":
            index.hnsw.efSearch = max(settings.effort * harder, count)
        if settings.kind == "ivf_pq":
            index.nprobe = min(settings.probes * harder, index.nlist)
        asked = _bits(questions) if settings.kind == "binary" else np.ascontiguousarray(questions, np.float32)
        places: Places = index.search(asked, count)[1]
        return places


def faiss_index(vectors: AnyVectors, settings: FaissConfig, folder: Path) -> FaissIndex:
    """The index of some vectors: from its file where there is one, else built.

    Several threads build HNSW, and each time it comes out a little different: so that a server searches what was judged, the
    file is kept.

    Args:
        vectors: float32 [n, dim].
        settings: Which index.
        folder: Where files of indexes lie.

    Raises:
        ModelError: faiss is not installed, or cannot make such an index of these vectors.
    """
    faiss = import_faiss()
    read = {name: getattr(settings, name) for name in _READ_BY[settings.kind] if name not in _WHILE_SEARCHING}
    key = digest([settings.kind, read, faiss.__version__, _digest(vectors)])
    make_folder(folder, folder.parent)
    path, facts = folder / f"{key}.faiss", folder / f"{key}.json"
    reads = faiss.read_index_binary if settings.kind == "binary" else faiss.read_index
    with locked(folder / f".{key}.lock"):
        if path.is_file() and facts.is_file():
            try:
                known = read_json(facts)
                # faiss believes every number in a file, the sizes of its tables too.
                if known["sha256"] == file_digest(path):
                    return FaissIndex(
                        settings, len(vectors), path.stat().st_size, known["build_seconds"], reads(str(path))
                    )
            except (RuntimeError, ValueError, LookupError, TypeError):
                pass
            logger.warning("%s is damaged: the index is built again.", path)
        started = time.perf_counter()
        index = _built(faiss, vectors, settings)
        seconds = round(time.perf_counter() - started, 3)
        write = faiss.write_index_binary if settings.kind == "binary" else faiss.write_index
        with replacing(path) as temporary:
            write(index, str(temporary))
        write_json(
            facts, {**asdict(settings), "vectors": len(vectors), "build_seconds": seconds, "sha256": file_digest(path)}
        )
        return FaissIndex(settings, len(vectors), path.stat().st_size, seconds, index)


def import_faiss() -> Any:
    """The library.

    Raises:
        ModelError: It is not installed.
    """
    try:
        import faiss
    except ImportError as error:
        raise ModelError("retrieval.index=faiss wants faiss: pip install -c constraints.txt -e '.[faiss]'") from error
    return faiss


def _built(faiss: Any, vectors: AnyVectors, settings: FaissConfig) -> Any:
    index = _empty(faiss, settings, *vectors.shape)
    if not index.is_trained:
        index.train(_sample(vectors, max(_LEARNT_FROM, _PER_CELL * getattr(index, "nlist", 0))))
    with progress("building the index", len(vectors), "vectors") as work:
        for start in range(0, len(vectors), _BLOCK):
            block = np.ascontiguousarray(vectors[start : start + _BLOCK], np.float32)
            index.add(_bits(block) if settings.kind == "binary" else block)
            work.advance(len(block))
    return index


def _empty(faiss: Any, settings: FaissConfig, size: int, width: int) -> Any:
    if settings.kind == "hnsw":
        index = faiss.IndexHNSWFlat(width, settings.links, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = settings.build_effort
        return index
    if settings.kind == "int8":
        return faiss.IndexScalarQuantizer(width, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    if settings.kind == "binary":
        return faiss.IndexBinaryFlat(-(-width // 8) * 8)
    if size < _CODES:
        raise ModelError(
            f"retrieval.faiss.kind=ivf_pq learns its codes from {_CODES} vectors at least, and there are {size:,}: "
            "retrieval.index=exact searches so few at once."
        )
    code = settings.code_bytes or max(part for part in range(1, max(1, width // 4) + 1) if width % part == 0)
    if width % code:
        raise ModelError(f"retrieval.faiss.code_bytes={code} must divide the {width:,} numbers of a vector.")
    lists = min(settings.lists or round(4 * size**0.5), max(1, size // _PER_CELL))
    quantizer = faiss.IndexFlatIP(width)
    index = faiss.IndexIVFPQ(quantizer, width, lists, code, 8, faiss.METRIC_INNER_PRODUCT)
    index.cp.seed = _SEED
    return index


def _sample(vectors: AnyVectors, most: int) -> Vectors:
    if len(vectors) <= most:
        return np.ascontiguousarray(vectors[:], np.float32)
    drawn = np.sort(np.random.default_rng(_SEED).choice(len(vectors), most, replace=False))
    return np.ascontiguousarray(vectors[drawn], np.float32)


def _bits(vectors: Vectors) -> npt.NDArray[np.uint8]:
    """The signs of the numbers, eight to a byte."""
    return np.packbits(vectors > 0, axis=1)


def _digest(vectors: AnyVectors) -> str:
    hasher = hashlib.blake2b(repr(vectors.shape).encode(), digest_size=16)
    for start in range(0, len(vectors), _BLOCK):
        hasher.update(np.ascontiguousarray(vectors[start : start + _BLOCK], np.float32).data)
    return hasher.hexdigest()
