"""What a server counts, in Prometheus' text format (prometheus.io/docs/instrumenting/exposition_formats)."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class _Histogram:
    edges: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.edges) + 1)

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.edges, value)] += 1
        self.total += value

    def lines(self, name: str, labels: str) -> list[str]:
        comma = "," if labels else ""
        lines, below = [], 0
        for edge, count in zip((*self.edges, None), self.counts, strict=True):
            below += count
            limit = "+Inf" if edge is None else f"{edge:g}"
            lines.append(f'{name}_bucket{{{labels}{comma}le="{limit}"}} {below}')
        braces = f"{{{labels}}}" if labels else ""
        return [*lines, f"{name}_sum{braces} {self.total:.6f}", f"{name}_count{braces} {below}"]


class Gauges:
    """Counters of one server. For several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._seconds: dict[str, _Histogram] = {}
        self._batches = _Histogram(_SIZES)
        self._texts: Counter[str] = Counter()

    def request(self, path: str, status: int, seconds: float) -> None:
        """A request was answered."""
        with self._lock:
            self._requests[path, status] += 1
            self._seconds.setdefault(path, _Histogram(_SECONDS)).add(seconds)

    def batch(self, size: int) -> None:
        """A batch was begun."""
        with self._lock:
            self._batches.add(size)

    def texts(self, kind: str, count: int) -> None:
        """Texts were embedded, or questions answered."""
        with self._lock:
            self._texts[kind] += count

    def render(self, waiting: int, in_flight: int) -> str:
        """The page that Prometheus reads.

        Args:
            waiting: Texts that wait for the model.
            in_flight: Requests that are being answered.
        """
        with self._lock:
            blocks = [
                _block(
                    "embft_requests_total",
                    "counter",
                    "Requests answered, by path and status.",
                    [
                        f'embft_requests_total{{path="{path}",status="{status}"}} {count}'
                        for (path, status), count in sorted(self._requests.items())
                    ],
                ),
                _block(
                    "embft_request_seconds",
                    "histogram",
                    "Seconds from a request to its answer.",
                    [
                        line
                        for path, histogram in sorted(self._seconds.items())
                        for line in histogram.lines("embft_request_seconds", f'path="{path}"')
                    ],
                ),
                _block(
                    "embft_texts_total",
                    "counter",
                    "Texts embedded and questions searched for.",
                    [f'embft_texts_total{{kind="{kind}"}} {count}' for kind, count in sorted(self._texts.items())],
                ),
                _block(
                    "embft_batch_size",
                    "histogram",
                    "Texts that were computed together.",
                    self._batches.lines("embft_batch_size", ""),
                ),
                _block("embft_waiting", "gauge", "Texts that wait.", [f"embft_waiting {waiting}"]),
                _block("embft_in_flight", "gauge", "Requests in work.", [f"embft_in_flight {in_flight}"]),
            ]
        return "".join(blocks)


def _block(name: str, kind: str, meaning: str, lines: list[str]) -> str:
    return "\n".join([f"# HELP {name} {meaning}", f"# TYPE {name} {kind}", *lines, ""])
