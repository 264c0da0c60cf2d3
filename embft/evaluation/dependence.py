"""How much questions about the same chunks depend on each other, and what that does to the spread of a mean.

Questions that share relevant chunks are easy or hard together: of two about one chunk the second tells little, and of two
that share one chunk in fifteen nearly as much as the first. How alike two questions may be is the kernel

    K_ij = |R_i and R_j| / sqrt(|R_i| |R_j|)        R_i: the relevant chunks of question i

which is 1 for equal sets and 0 where nothing is shared; how alike they are is estimated from the scores. A score is taken
for a mean, a part that goes with the number of relevant chunks, a part that comes from the chunks themselves (variance b,
correlated as K) and a part of its own (variance a). With M, the projection that takes out the first two, the sums of squares
of the remainders e have the expectations

    E e'e  = a tr(M)  + b tr(MK)
    E e'Ke = a tr(MK) + b tr(MKMK)

Solved for a and b this is the analysis of variance of random effects (Searle, Casella and McCulloch, "Variance Components",
1992, section 5.3). It repairs what a plain sandwich e'Ke / n^2 lacks: centring takes away most of what all questions share.
The number of chunks is taken out because questions with many are easier and share more, which is not dependence. The degrees
of freedom are Satterthwaite's ("An approximate distribution of estimates of variance components", Biometrics Bulletin 2(6),
1946), except that the variance never falls below that of independent questions. benchmarks/results/calibration.md has the
coverage of what comes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]

_EXACT = 1024
"""Questions up to which traces of powers are exact; of more they are estimated by as many random probes as `_PROBES`."""
_PROBES = 256
_BLOCK = 512
"""Rows of the kernel held at once."""
ASSUMED_SHARE = 0.3
"""Share of the variance that comes from the chunks where nothing was measured yet; 0 to 0.4 in embft's own runs."""


@dataclass(frozen=True)
class Spread:
    """How far a mean may be from the truth.

    Attributes:
        variance: Of the mean; infinite where nothing can be said, as where all questions are about one chunk.
        freedom: Degrees of freedom of ``variance``.
        share: Of the questions' variance, what comes from chunks: 0 to 1.
        effective: Independent questions that these are worth.
    """

    variance: float
    freedom: float
    share: float
    effective: float


@dataclass(frozen=True, eq=False)
class Dependence:
    """Which questions share relevant chunks. Made once for a set of questions; all systems and metrics use it.

    Attributes:
        parts: Sparse float64 [n_questions, n_chunks], each row of length 1: the kernel is parts @ parts.T.
    """

    parts: csr_array

    @classmethod
    def of(cls, question_ids: Sequence[str], relevant_docs: Mapping[str, Sequence[str]]) -> Dependence:
        """The dependence of questions in this order; a question without relevant chunks depends on no other."""
        columns: dict[str | tuple[int], int] = {}
        places, chunks, values = [], [], []
        for place, question_id in enumerate(question_ids):
            # The empty set stands for a chunk of its own: no id is a tuple.
            ids: list[str | tuple[int]] = list(dict.fromkeys(relevant_docs.get(question_id, ())))
            ids = ids or [(place,)]
            places += [place] * len(ids)
            chunks += [columns.setdefault(chunk_id, len(columns)) for chunk_id in ids]
            values += [len(ids) ** -0.5] * len(ids)
        shape = (len(question_ids), len(columns))
        return cls(csr_array((np.array(values), (np.array(places, np.int64), np.array(chunks, np.int64))), shape=shape))

    @classmethod
    def none(cls, questions: int) -> Dependence:
        """So many questions that share nothing."""
        return cls.of([str(place) for place in range(questions)], {})

    @property
    def chunks(self) -> int:
        """Different relevant chunks; a question without any counts as one about a chunk of its own."""
        return len(np.unique(self.parts.indices))

    def restricted(self, where: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Dependence:
        """The dependence of some of the questions: a mask, or their places."""
        return Dependence(self.parts[np.flatnonzero(where) if where.dtype == bool else where])

    def __len__(self) -> int:
        return int(self.parts.shape[0])

    @cached_property
    def links(self) -> float:
        """1'K1 / n: the questions that a question moves with, itself included; 1 where nothing is shared."""
        return float((self.parts.sum(axis=0) ** 2).sum() / len(self)) if len(self) else 1.0

    def effective(self, share: float = ASSUMED_SHARE) -> float:
        """Independent questions that these are worth if that share of the variance comes from their chunks.

        Kish, "Survey Sampling", 1965, section 5.4: the design effect.
        """
        return len(self) / (1 + share * (self.links - 1))

    def inflation(self, share: float) -> float:
        """The variance of the mean, over what it would be if the questions were independent and scattered as they do."""
        size = len(self)
        if size < 2:
            return 1.0
        # What is left of the questions' scatter after centring: nothing where all are one.
        scatter = 1 - share + share * (size - self.links) / (size - 1)
        return (1 + share * (self.links - 1)) / scatter if scatter > 1e-12 else np.inf

    def shared_squares(self, rows: Floats) -> Floats:
        """Of each row e, e'Ke; float64 [n_rows]."""
        return np.asarray(((self.parts.T @ rows.T) ** 2).sum(axis=0))

    def share(self, scores: Floats) -> float | None:
        """The share of the variance that comes from chunks, estimated from one row of scores or several together.

        Args:
            scores: float64 [n_rows, n_questions].

        Returns:
            0 to 1. None where these questions cannot show it, because all of them share alike.
        """
        if self._determinant is None:
            return self.share_of(0.0, 0.0, 0.0)
        remainders = self.remainders(scores)
        total = float(((scores - scores.mean(axis=1, keepdims=True)) ** 2).sum())
        return self.share_of(float((remainders**2).sum()), float(self.shared_squares(remainders).sum()), total)

    def remainders(self, scores: Floats) -> Floats:
        """What is left of rows of scores, float64 [n_rows, n_questions], when what is no dependence is taken out."""
        return np.asarray(scores - (scores @ self._explained) @ self._explained.T)

    def share_of(self, squares: float, shared: float, total: float) -> float | None:
        """The share of the variance that comes from chunks, see `share`.

        Args:
            squares: e'e of the remainders e.
            shared: e'Ke of these.
            total: Sum of squares of the scores around their mean.
        """
        if self._determinant is None:
            return None if self.links > 1 + 1e-9 else 0.0
        size = len(self)
        own, linked, _, _, _ = self._traces
        if squares <= 1e-12 * total or total == 0:
            return ASSUMED_SHARE
        # Neither part can be negative.
        common = min(max(0.0, (own * shared - linked * squares) / self._determinant), squares / linked)
        individual = max(0.0, (total - common * (size - self.links)) / (size - 1))
        return common / (individual + common)

    def spread(self, scores: Floats, extra: float = 0.0) -> Spread:
        """The spread of the mean of scores, float64 [n_questions].

        Args:
            extra: A further sum of squares, of one question that is supposed besides those that were asked.
        """
        size = len(self)
        share = self.share(scores[None])
        if size < 2 or share is None:
            return Spread(np.inf, 1.0, 1.0, 1.0)
        squares = float(((scores - scores.mean()) ** 2).sum()) + extra
        variance = squares / (size - 1) / size * self.inflation(share)
        return Spread(variance, self.freedom(share), share, self.effective(share))

    def freedom(self, share: float) -> float:
        """Degrees of freedom of the variance of the mean, where ``share`` of the variance is the chunks'."""
        most = max(1.0, len(self) - 1.0)
        own, linked, square, cube, fourth = self._traces
        if share == 0 or self._determinant is None:
            return most
        # The variance is e'Qe, Q = (for_own I + for_shared K): what solving the two equations comes to.
        for_own, for_shared = square - linked * self.links, own * self.links - linked
        # Q times the covariance (1 - share) I + share K, as a polynomial of MK.
        first, second, third = for_own * (1 - share), for_own * share + for_shared * (1 - share), for_shared * share
        mean = first * own + second * linked + third * square
        spread = (
            first**2 * own
            + 2 * first * second * linked
            + (second**2 + 2 * first * third) * square
            + 2 * second * third * cube
            + third**2 * fourth
        )
        # Its standard deviation over its mean; downwards it goes no further than to the variance of independent questions.
        relative = min((2 * spread) ** 0.5 / mean, 1 - 1 / self.inflation(share))
        return float(min(most, 2 / relative**2)) if relative > 0 else most

    @cached_property
    def _determinant(self) -> float | None:
        """Of the two equations; None where they are one, so that own and shared parts cannot be separated."""
        if len(self) < 2:
            return None
        own, linked, square, _, _ = self._traces
        determinant = own * square - linked**2
        return determinant if linked > 1e-9 and determinant > 1e-9 * own * square else None

    @cached_property
    def _explained(self) -> Floats:
        """Orthonormal columns of what is no dependence: the mean, and the number of relevant chunks where it differs."""
        sizes = np.log(np.diff(self.parts.indptr))
        columns = [np.ones(len(self))]
        if len(self) and np.ptp(sizes) > 0:
            columns.append(sizes - sizes.mean())
        return np.stack([column / np.linalg.norm(column) for column in columns], axis=1)

    @cached_property
    def _traces(self) -> tuple[float, float, float, float, float]:
        """Traces of M and of the first four powers of MK."""
        size = len(self)
        exact = size <= _EXACT
        probes = np.eye(size) if exact else np.random.default_rng(0).choice([-1.0, 1.0], size=(size, _PROBES))
        once = self._kernel_without(probes)
        twice = self._kernel_without(once)
        scale = 1.0 if exact else 1 / _PROBES
        explained = np.asarray(self.parts @ (self.parts.T @ self._explained))  # K times the columns
        inner = self._explained.T @ explained
        square = self._sum_of_squares() - 2 * float((explained**2).sum()) + float((inner**2).sum())
        return (
            float(size - inner.shape[0]),
            size - float(np.trace(inner)),
            square,
            float((once * twice).sum()) * scale,
            float((twice**2).sum()) * scale,
        )

    def _kernel_without(self, columns: Floats) -> Floats:
        """MKM times columns."""
        kept = columns - self._explained @ (self._explained.T @ columns)
        product = np.asarray(self.parts @ (self.parts.T @ kept))
        return np.asarray(product - self._explained @ (self._explained.T @ product))

    def _sum_of_squares(self) -> float:
        """Of all entries of the kernel, without holding it."""
        turned = self.parts.T.tocsr()
        blocks = (self.parts[start : start + _BLOCK] @ turned for start in range(0, len(self), _BLOCK))
        return float(sum((block.data**2).sum() for block in blocks))
