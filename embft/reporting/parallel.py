"""A sweep's plots as inline SVG: hyperparameters in parallel coordinates, and cost against quality."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from embft.reporting.phrases import number

_WIDTH, _HEIGHT, _TOP, _BOTTOM = 900, 320, 40, 14
_SIDE = 70
_LABEL = 16
_WIDE_RANGE = 30
"""From this ratio of largest to smallest, an axis of numbers is logarithmic."""


@dataclass(frozen=True)
class Axis:
    """One axis of the parallel coordinates.

    Attributes:
        name: Shown above it.
        values: Of each job; None where a job has none.
    """

    name: str
    values: Sequence[str | float | None]


def parallel(names: Sequence[str], axes: Sequence[Axis], best: int | None) -> Markup | None:
    """A line for each job through its settings to its figures; None where there are fewer than two axes or jobs.

    The lines' strength is their place on the last axis. An Inselberg plot: "The plane with parallel coordinates", The
    Visual Computer 1, 1985.

    Args:
        names: Of the jobs.
        axes: Settings, then figures; a job with a value missing on the last axis has no line.
        best: The job that is drawn strongest.
    """
    drawn = [job for job in range(len(names)) if axes and axes[-1].values[job] is not None]
    if len(axes) < 2 or len(drawn) < 2:
        return None
    places = [_places([axis.values[job] for job in drawn]) for axis in axes]
    step = (_WIDTH - 2 * _SIDE) / (len(axes) - 1)
    span = _HEIGHT - _TOP - _BOTTOM - 10

    def y(share: float) -> float:
        return _TOP + 10 + (1 - share) * span

    parts = [
        Markup('<svg class="parallel" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            _WIDTH, _HEIGHT, f"Settings and figures of {len(drawn)} jobs in parallel coordinates"
        )
    ]
    final = places[-1][0]
    order = sorted(range(len(drawn)), key=lambda at: (drawn[at] == best, final[at]))
    for at in order:
        points = " ".join(
            f"{'L' if place else 'M'}{_SIDE + place * step:.1f},{y(shares[at]):.1f}"
            for place, (shares, _) in enumerate(places)
        )
        settings = ", ".join(f"{axis.name} {_text(axis.values[drawn[at]])}" for axis in axes)
        parts.append(
            Markup('<path class="{}" d="{}" style="opacity:{:.2f}"><title>{}</title></path>').format(
                "job chosen" if drawn[at] == best else "job",
                points,
                1 if drawn[at] == best else 0.2 + 0.6 * final[at],
                f"{names[drawn[at]]}: {settings}",
            )
        )
    for place, (axis, (_, ticks)) in enumerate(zip(axes, places, strict=True)):
        x = _SIDE + place * step
        parts.append(
            Markup('<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>').format(x, y(1), y(0))
            + Markup('<text class="tick strong" x="{:.1f}" y="16">{}</text>').format(x, _cut(axis.name, 22))
        )
        parts += [
            Markup('<text class="tick halo" x="{:.1f}" y="{:.1f}">{}</text>').format(x, y(share) + 4, _cut(label))
            for share, label in ticks
        ]
    return Markup("").join([*parts, Markup("</svg>")])


def scatter(
    points: Sequence[tuple[str, float, float, tuple[float, float] | None]],
    best: str | None,
    *,
    title: str,
    x_label: str,
) -> Markup | None:
    """Points with the interval of their height; None where there are fewer than two.

    Args:
        points: Name, cost (x), figure (y) and its interval.
        best: The point that is drawn strongest.
        title: Read out in place of the plot.
        x_label: Under the horizontal axis.
    """
    if len(points) < 2:
        return None
    bounds = [bound for _, _, value, ends in points for bound in (value, *(ends or ()))]
    low, high = min(bounds), max(bounds)
    low, high = low - 0.05 * (high - low or 1), high + 0.05 * (high - low or 1)
    right = max(x for _, x, _, _ in points) * 1.08 or 1.0
    width, height, left, bottom = 500, 260, 48, 44

    def place(x: float, value: float) -> tuple[float, float]:
        return left + x / right * (width - left - 20), 10 + (high - value) / (high - low) * (height - bottom - 10)

    parts = [Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(width, height, title)]
    for share in (0.1, 0.5, 0.9):
        value = low + share * (high - low)
        at = place(0, value)[1]
        parts.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(left, width - 20, at, at)
            + Markup('<text class="name" x="{}" y="{:.1f}">{}</text>').format(left - 8, at + 4, number(value))
        )
    for share in (0, 0.5, 1):
        x, _ = place(share * right, low)
        parts.append(
            Markup('<text class="tick" x="{:.1f}" y="{}">{}</text>').format(x, height - 26, f"{share * right:,.0f}")
        )
    for name, cost, value, ends in sorted(points, key=lambda point: point[0] == best):
        cx, cy = place(cost, value)
        whisker = Markup("")
        if ends:
            whisker = Markup('<line class="whisker" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>').format(
                cx, place(0, ends[0])[1], place(0, ends[1])[1]
            )
        parts.append(
            Markup('<g class="row {}"><title>{}</title>').format(
                "chosen" if name == best else "level", f"{name}: {number(value)}, {cost:,.1f}"
            )
            + whisker
            + Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="5"/></g>').format(
                "dot chosen" if name == best else "dot", cx, cy
            )
        )
    parts.append(
        Markup('<text class="tick" x="{}" y="{}">{}</text></svg>').format((width + left) / 2, height - 6, x_label)
    )
    return Markup("").join(parts)


def _places(values: Sequence[str | float | None]) -> tuple[list[float], list[tuple[float, str]]]:
    """Each value's height, 0 to 1, and the ticks; what is missing lies at the bottom as ``default``."""
    numbers = [_number(value) for value in values]
    if all(value is not None for value in numbers):
        finite = [value for value in numbers if value is not None]
        low, high = min(finite), max(finite)
        if low > 0 and high / low > _WIDE_RANGE:
            finite = [math.log(value) for value in finite]
        bottom, span = min(finite), (max(finite) - min(finite)) or 1.0
        shares = [(value - bottom) / span if max(finite) > bottom else 0.5 for value in finite]
        ticks = sorted({(share, _text(value)) for share, value in zip(shares, values, strict=True)})
        return shares, _apart(ticks)
    order = list(dict.fromkeys(sorted(_text(value) for value in values)))
    share_of = {label: at / max(1, len(order) - 1) if len(order) > 1 else 0.5 for at, label in enumerate(order)}
    return [share_of[_text(value)] for value in values], _apart([(share_of[label], label) for label in order])


def _apart(ticks: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """The ticks that do not print over each other, both ends first."""
    room = 18 / (_HEIGHT - _TOP - _BOTTOM)
    kept = [ticks[0], *([ticks[-1]] if ticks[-1][0] - ticks[0][0] > room else [])]
    for tick in ticks[1:-1]:
        if all(abs(tick[0] - other[0]) > room for other in kept):
            kept.append(tick)
    return kept


def _number(value: str | float | None) -> float | None:
    try:
        number = float(value) if value not in (None, "") else None
    except ValueError:
        return None
    return number if number is None or math.isfinite(number) else None


def _text(value: str | float | None) -> str:
    if value is None or value == "":
        return "default"
    return number(value) if isinstance(value, float) else str(value)


def _cut(text: str, longest: int = _LABEL) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
