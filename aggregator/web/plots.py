"""Small pictures as numbers for inline SVG: bars, a day plot, a timeline. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from ``y`` downwards. ``label`` says in words what it stands for."""

    x: float
    y: float
    width: float
    height: float
    label: str = ""


def sparkline(values: Sequence[int], width: int = 96, height: int = 20) -> tuple[Bar, ...]:
    """A bar for each value, the highest as high as the picture; zeros are a hairline."""
    top = max(values, default=0) or 1
    step = width / max(1, len(values))
    bars = []
    for place, value in enumerate(values):
        high = max(1.0, height * value / top)
        bars.append(Bar(round(place * step, 1), round(height - high, 1), round(step - 1, 1), high))
    return tuple(bars)


@dataclass(frozen=True, slots=True)
class DayPlot:
    """Bars for each of several counts over the same days, and the highest of all."""

    width: int
    height: int
    days: tuple[date, ...]
    bars: Mapping[str, tuple[Bar, ...]]
    highest: int


def day_plot(
    counts: Mapping[str, Mapping[date, int]], last: date, days: int, width: int = 660
) -> DayPlot:
    """``days`` days up to ``last``; the counts of one day stand side by side."""
    height = 120
    span = tuple(last - timedelta(days=n) for n in reversed(range(days)))
    highest = max((count for per_day in counts.values() for count in per_day.values()), default=0)
    step = width / days
    slot = step * 0.8 / max(1, len(counts))
    bars = {}
    for number, (name, per_day) in enumerate(counts.items()):
        row = []
        for place, day in enumerate(span):
            high = height * per_day.get(day, 0) / (highest or 1)
            label = f"{day:%-d %b}: {per_day.get(day, 0)} {name}"
            left = place * step + number * slot
            row.append(
                Bar(round(left, 1), round(height - high, 1), round(slot, 1), round(high, 1), label)
            )
        bars[name] = tuple(row)
    return DayPlot(width, height, span, bars, highest)


@dataclass(frozen=True, slots=True)
class Dot:
    """A report on a timeline."""

    x: float
    y: float
    label: str
    is_copy: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """Dots over time, those of one moment stacked; ``height`` is what they need.

    ``ticks`` are the times of its two ends in words; one where all is of one moment.
    """

    width: int
    height: int
    dots: tuple[Dot, ...]
    ticks: tuple[str, ...]


def timeline(reports: Sequence[tuple[datetime, str, bool]], width: int = 660) -> Timeline:
    """Who reported when: (time, in words, is it a copy). Nothing for fewer than two."""
    margin, size = 10, 11
    ordered = sorted(reports)
    if len(ordered) < 2:
        return Timeline(width, 0, (), ())
    first, last = ordered[0][0], ordered[-1][0]
    span = (last - first).total_seconds() or 1.0
    columns = int((width - 2 * margin) / size)
    stacked: Counter[int] = Counter()
    placed = []
    for moment, label, is_copy in ordered:
        column = round((moment - first).total_seconds() / span * columns)
        placed.append((column, stacked[column], label, is_copy))
        stacked[column] += 1
    height = max(stacked.values()) * size + 6
    dots = tuple(
        Dot(round(margin + column * size, 1), height - 8 - level * size, label, is_copy)
        for column, level, label, is_copy in placed
    )
    ticks = tuple(f"{at.astimezone(UTC):%-d %b, %H:%M}" for at in dict.fromkeys((first, last)))
    return Timeline(width, height, dots, ticks)
