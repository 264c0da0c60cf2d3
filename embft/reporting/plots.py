"""The report's plots as inline SVG: drawn with the page's own colours, light and dark, screen and paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from embft.reporting.wording import label, number

_WIDTH, _LEFT, _RIGHT = 640, 90, 56
_ROW = 26


def dots(systems: Mapping[str, Mapping[str, Any]], metric: str) -> Markup:
    """A dot with its interval for each system."""
    bounds = [figures["intervals"][metric] for figures in systems.values()]
    low = max(0.0, min(b[0] for b in bounds) - 0.03)
    high = min(1.0, max(b[1] for b in bounds) + 0.03)
    height = _ROW * len(systems) + 30

    def x(value: float) -> float:
        return float(_LEFT + (value - low) / (high - low or 1) * (_WIDTH - _LEFT - _RIGHT))

    parts = [_open(height, f"{label(metric)} of each system with its interval")]
    parts.extend(
        Markup(
            '<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="4" y2="{1}"/>'
            '<text class="tick" x="{0:.1f}" y="{2}">{3}</text>'
        ).format(x(tick), height - 24, height - 8, number(tick))
        for tick in _ticks(low, high)
    )
    row = Markup(
        '<text class="name" x="{left}" y="{text}">{name}</text>'
        '<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>'
        '<circle class="dot" cx="{mean:.1f}" cy="{y}" r="5"/>'
        '<text class="value" x="{right}" y="{text}">{value}</text>'
    )
    for place, (name, figures) in enumerate(systems.items()):
        y, (start, end) = 18 + place * _ROW, figures["intervals"][metric]
        places = {"left": _LEFT - 12, "right": _WIDTH - _RIGHT + 12, "y": y, "text": y + 5}
        mean = figures[metric]
        parts.append(row.format(**places, name=name, low=x(start), high=x(end), mean=x(mean), value=number(mean)))
    return Markup("").join([*parts, Markup("</svg>")])


def curve(points: Sequence[tuple[float, float]], *, title: str, x_label: str, mark: float | None = None) -> Markup:
    """A line through points, with the chosen one marked."""
    height, top, bottom = 190, 30, 40
    xs, ys = [x for x, _ in points], [y for _, y in points]
    low, high = min(ys), max(ys)
    margin = (high - low) * 0.15 or 0.01
    low, high = low - margin, high + margin

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - min(xs)) / ((max(xs) - min(xs)) or 1)
        return _LEFT + across * (_WIDTH - _LEFT - _RIGHT), top + (high - y) / (high - low) * (height - top - bottom)

    path = " ".join(f"{'L' if index else 'M'}{x:.1f},{y:.1f}" for index, (x, y) in enumerate(place(*p) for p in points))
    parts = [_open(height, title), Markup('<text class="title" x="{}" y="16">{}</text>').format(_LEFT, title)]
    for tick in _ticks(low, high):
        y = place(xs[0], tick)[1]
        parts.append(
            Markup(
                '<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/><text class="name" x="{}" y="{:.1f}">{}</text>'
            ).format(_LEFT, _WIDTH - _RIGHT, y, y, _LEFT - 12, y + 4, number(tick))
        )
    parts.append(Markup('<path class="line" d="{}"/>').format(path))
    for x, y in points:
        cx, cy = place(x, y)
        chosen = mark is not None and abs(x - mark) < 1e-9
        parts.append(
            Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{:g}: {}</title></circle>').format(
                "dot chosen" if chosen else "dot", cx, cy, 6 if chosen else 3, x, number(y)
            )
        )
        if chosen or (len(points) <= 12 and mark is None) or x in (xs[0], xs[-1]):
            parts.append(Markup('<text class="tick" x="{:.1f}" y="{}">{:g}</text>').format(cx, height - 24, x))
    parts.append(Markup('<text class="tick" x="{}" y="{}">{}</text></svg>').format(_WIDTH / 2, height - 6, x_label))
    return Markup("").join(parts)


def _open(height: int, title: str) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(_WIDTH, height, escape(title))


def _ticks(low: float, high: float) -> list[float]:
    """Round values between the bounds, at most six."""
    step = next(
        step
        for step in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100, 1e9)
        if (high - low) / step <= 6
    )
    first = int(low / step) + (1 if low > 0 else 0)
    return [round(index * step, 6) for index in range(first, int(high / step) + 1)]
