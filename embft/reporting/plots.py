"""The report's plots as inline SVG: drawn with the page's own colours, light and dark, screen and paper."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup

from embft.evaluation.figures import ComparisonRow
from embft.evaluation.names import label
from embft.reporting.phrases import interval, number, points, points_interval, sense
from embft.wording import say

# About as wide as the page shows them, so that text in a plot is as large as text around it.
_WIDTH, _RIGHT = 500, 48
_ROW = 26
_CHARACTER = 7.2
"""Pixels that a character of a name takes at most, on average."""
_LONGEST_NAME = 28
"""Characters shown of a name; all of it stands in the row's title."""
_COLOURS = {"beats": "won", "loses to": "lost"}


def dots(means: Sequence[tuple[str, float, tuple[float, float]]], metric: str, chosen: str | None = None) -> Markup:
    """A dot with its interval for each system.

    Args:
        means: Name, mean and interval of each.
        metric: Their name.
        chosen: The system to ship, drawn strongest.
    """
    rows = [(name, mean, ends, number(mean), "chosen" if name == chosen else "") for name, mean, ends in means]
    bounds = [bound for _, mean, ends, _, _ in rows for bound in (mean, *ends)]
    low, high = max(0.0, min(bounds) - 0.03), min(1.0, max(bounds) + 0.03)
    return _whiskers(
        rows, low, high, say("{metric} of each system with its 95% interval", metric=label(metric)), number
    )


def differences(rows: Sequence[ComparisonRow]) -> Markup | None:
    """A dot with its interval for each comparison, around zero; None where there are none.

    Args:
        rows: Comparisons by one metric.
    """
    if not rows:
        return None
    drawn = [
        (
            f"{row.system} - {row.baseline}",
            row.delta,
            row.ci95,
            points(row.delta),
            _COLOURS.get(sense(row), "level"),
        )
        for row in rows
    ]
    reach = max(0.01, 1.1 * max(abs(end) for row in rows for end in (row.delta, *row.ci95)))
    title = say("Differences in {metric} with their 95% intervals, in points", metric=label(rows[0].metric))
    return _whiskers(drawn, -reach, reach, title, lambda value: f"{100 * value:+g}" if value else "0", zero=True)


def curve(
    values: Sequence[tuple[float, float]], *, title: str, x_label: str, mark: float | None = None
) -> Markup | None:
    """A line through points, with the chosen one marked; None where fewer than two are finite.

    Args:
        values: (x, y), x not decreasing.
        title: Read out in place of the plot.
        x_label: Under the horizontal axis.
        mark: The x of the chosen point.
    """
    values = [(x, y) for x, y in values if math.isfinite(y)]
    if len(values) < 2:
        return None
    height, top, bottom, left = 200, 12, 44, 48
    xs, ys = [x for x, _ in values], [y for _, y in values]
    margin = (max(ys) - min(ys)) * 0.15 or 0.01
    low, high = min(ys) - margin, max(ys) + margin

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - xs[0]) / ((xs[-1] - xs[0]) or 1)
        return left + across * (_WIDTH - left - 24), top + (high - y) / (high - low) * (height - top - bottom)

    parts = [_open(height, title)]
    for tick in _ticks(low, high):
        y = place(xs[0], tick)[1]
        parts.append(_line("grid", left, _WIDTH - 24, y, y) + _text("name", left - 10, y + 4, number(tick)))
    path = " ".join(f"{'L' if at else 'M'}{x:.1f},{y:.1f}" for at, (x, y) in enumerate(place(*pair) for pair in values))
    parts.append(Markup('<path class="line" d="{}"/>').format(path))
    named = {xs[0], xs[-1], *(xs if len(xs) <= 8 else ())}
    if mark is not None:
        # A name beside the mark's would be printed over it.
        named = {x for x in named if abs(x - mark) > 0.08 * (xs[-1] - xs[0])} | {mark}
    for x, y in values:
        cx, cy = place(x, y)
        chosen = mark is not None and abs(x - mark) < 1e-9
        dot = Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{:g}: {}</title></circle>')
        parts.append(dot.format("dot chosen" if chosen else "dot", cx, cy, 6 if chosen else 2.5, x, number(y)))
        if x in named:
            parts.append(_text("tick", cx, height - 26, f"{x:g}"))
    parts.append(_text("tick", left + (_WIDTH - left - 24) / 2, height - 6, x_label) + Markup("</svg>"))
    return Markup("").join(parts)


def _whiskers(
    rows: Sequence[tuple[str, float, Sequence[float], str, str]],
    low: float,
    high: float,
    title: str,
    write_tick: Callable[[float], str],
    zero: bool = False,
) -> Markup:
    """Rows of (name, value, interval, value as text, class) on one scale."""
    left = 20 + _CHARACTER * min(_LONGEST_NAME, max(len(row[0]) for row in rows))
    height = _ROW * len(rows) + 30

    def x(value: float) -> float:
        return left + (value - low) / ((high - low) or 1) * (_WIDTH - left - _RIGHT)

    parts = [_open(height, title)]
    for tick in _ticks(low, high):
        style = "zero" if zero and tick == 0 else "grid"
        parts.append(
            _line(style, x(tick), x(tick), 4, height - 26) + _text("tick", x(tick), height - 8, write_tick(tick))
        )
    for place, (name, value, (start, end), text, style) in enumerate(rows):
        y = 18 + place * _ROW
        dot = Markup('<circle class="dot" cx="{:.1f}" cy="{}" r="5"/>').format(x(value), y)
        tooltip = Markup("<title>{}</title>").format(
            f"{name}: {text} {(points_interval if zero else interval)((start, end))}"
        )
        parts.append(
            Markup('<g class="row {}">').format(style)
            + tooltip
            + _text("name", left - 12, y + 5, name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}")
            + _line("whisker", x(start), x(end), y, y)
            + dot
            + _text("value", _WIDTH, y + 5, text)
            + Markup("</g>")
        )
    return Markup("").join([*parts, Markup("</svg>")])


def _open(height: int, title: str) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(_WIDTH, height, title)


def _line(style: str, x1: float, x2: float, y1: float, y2: float) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>').format(style, x1, x2, y1, y2)


def _text(style: str, x: float, y: float, text: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(style, x, y, text)


def _ticks(low: float, high: float) -> list[float]:
    """Round values between the bounds, at most six."""
    step = next(
        step
        for step in (*(base * 10.0**power for power in range(-6, 9) for base in (1, 2, 5)), math.inf)
        if (high - low) / step <= 5
    )
    if math.isinf(step):
        return []
    return [round(at * step, 6) + 0.0 for at in range(math.ceil(low / step), math.floor(high / step) + 1)]
