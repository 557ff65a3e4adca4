"""Draws what the benchmarks print as an SVG.

    python3 -B benches/report.py target/bench/speed --plot docs/speed.svg
    python3 -B benches/python/bench.py --plot docs/speed-python.svg
    python3 -B benches/growth.py target/bench/growth --plot docs/growth.svg

`draw`: ratios of paired runs, one bar for each comparison, with its quartiles and its goal.
A bar is what one operation of palitra's costs (time or memory) when the rival's costs 1: shorter is better. The thin
line across its end goes from the lower to the upper quartile; the mark across the bar is the goal, where there is one.

`draw_curves`: what one item costs against how many there are, both on logarithmic axes: a call that is linear in the
number of its items is a level line. Or, on an axis that is linear, memory against time.
"""

import dataclasses
import math
import platform
from collections.abc import Callable
from xml.sax.saxutils import escape

LEFT, WIDTH, RIGHT = 320, 430, 60
ROW, BAR, TOP, BOTTOM = 30, 16, 44, 40
INK, FADED, OURS, GOAL = "#1f2933", "#9aa5b1", "#2b6cb0", "#c05621"
COLOURS = [
    "#2b6cb0", "#c05621", "#2f855a", "#97266d", "#b7791f", "#4a5568",
    "#285e61", "#702459", "#553c9a", "#9c4221", "#5f370e",
]  # fmt: skip


@dataclasses.dataclass
class Bar:
    title: str
    cost: float
    lower: float
    upper: float
    goal: float | None  # as a cost


def machine() -> str:
    """The processor and the system that the figures are of."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return f"{len(models)} x {models[0]}, {platform.system()} {platform.release().split('-')[0]}"


def draw(bars: list[Bar], path: str, caption: str) -> None:
    """Writes the picture to the file."""
    end = 0.5 * (int(max(max(bar.upper, bar.goal or 0) for bar in bars) / 0.5) + 1)
    bottom = TOP + ROW * len(bars)

    def x(cost: float) -> float:
        return round(LEFT + WIDTH * cost / end, 1)

    parts = [text(LEFT, 22, "cost of one operation, the rival's being 1 (shorter is better)", INK, "start")]
    for tick in range(int(end / 0.5) + 1):
        cost = tick * 0.5
        parts.append(line(x(cost), TOP - 6, x(cost), bottom, FADED, 2 if cost == 1 else 0.5))
        parts.append(text(x(cost), bottom + 14, f"{cost:g}", INK, "middle"))
    for number, bar in enumerate(bars):
        y = TOP + ROW * number + (ROW - BAR) / 2
        middle = y + BAR / 2
        parts.append(text(LEFT - 10, middle + 4, bar.title, INK, "end"))
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{x(bar.cost) - LEFT:.1f}" height="{BAR}" fill="{OURS}"/>')
        parts.append(line(x(bar.lower), middle, x(bar.upper), middle, INK, 1.5))
        if bar.goal is not None:
            parts.append(line(x(bar.goal), y - 3, x(bar.goal), y + BAR + 3, GOAL, 3))
        parts.append(text(max(x(bar.upper), x(bar.goal or 0)) + 8, middle + 4, f"{bar.cost:.2f}", INK, "start"))
    parts.append(text(10, bottom + 32, caption, INK, "start"))
    write(path, LEFT + WIDTH + RIGHT, bottom + BOTTOM, parts)


@dataclasses.dataclass
class Axis:
    """Where values stand between its ends, which are 0 and 1, and which of them are marked."""

    first: float
    last: float
    marks: list[float]
    scale: Callable[[float], float]

    def place(self, value: float) -> float:
        first, last = self.scale(self.first), self.scale(self.last)
        return (self.scale(value) - first) / (last - first)


def logarithmic(values: list[float], *, from_power_to_power: bool = False) -> Axis:
    first, last = min(values), max(values)
    powers = range(math.floor(math.log10(first)), math.ceil(math.log10(last)) + 1)
    marks = [10.0**power for power in powers]
    if from_power_to_power:
        return Axis(marks[0], marks[-1], marks, math.log10)
    return Axis(first, last, [mark for mark in marks if first <= mark <= last], math.log10)


def linear(values: list[float]) -> Axis:
    """From 0, with five to ten marks."""
    last = max(values)
    step = 10.0 ** math.floor(math.log10(last))
    while last / step < 5:
        step /= 2
    return Axis(0, last, [step * number for number in range(int(last / step) + 1)], float)


def draw_curves(
    curves: dict[str, list[tuple[float, float]]],
    path: str,
    caption: str,
    title: str,
    across: Callable[[list[float]], Axis] = logarithmic,
) -> None:
    """Writes the picture of some curves, each a name and its points, to the file. Upwards it is logarithmic."""
    points = [point for curve in curves.values() for point in curve]
    x_axis = across([x for x, _ in points])
    y_axis = logarithmic([y for _, y in points], from_power_to_power=True)
    left, width, height, labels = 70, 460, 380, 210

    def x(value: float) -> float:
        return round(left + width * x_axis.place(value), 1)

    def y(value: float) -> float:
        return round(TOP + height * (1 - y_axis.place(value)), 1)

    parts = [text(left, 22, title, INK, "start")]
    for mark in y_axis.marks:
        parts.append(line(left, y(mark), left + width, y(mark), FADED, 0.5))
        parts.append(text(left - 8, y(mark) + 4, f"{mark:,.10g}", INK, "end"))
    for mark in x_axis.marks:
        parts.append(line(x(mark), TOP, x(mark), TOP + height, FADED, 0.5))
        parts.append(text(x(mark), TOP + height + 16, f"{mark:,.10g}", INK, "middle"))
    # From the highest down, so that no label covers another.
    free = TOP - 100.0
    for number, (name, curve) in enumerate(sorted(curves.items(), key=lambda item: -item[1][-1][1])):
        colour = COLOURS[number % len(COLOURS)]
        way = " ".join(f"{x(right)},{y(up)}" for right, up in curve)
        parts.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
        free = max(free + 15, y(curve[-1][1]) + 4)
        parts.append(text(left + width + 8, free, name, colour, "start"))
    parts.append(text(10, TOP + height + 40, caption, INK, "start"))
    write(path, left + width + labels, TOP + height + 50, parts)


#: Where the reader prefers dark, light and dark change places; a blue stays blue.
STYLE = "<style>@media (prefers-color-scheme: dark) { svg { filter: invert(0.9) hue-rotate(180deg) } }</style>"


def write(path: str, width: float, height: float, parts: list[str]) -> None:
    box = f'viewBox="0 0 {width} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {box} font-family="sans-serif" font-size="12">'
    ground = f'<rect width="{width}" height="{height}" fill="white"/>'
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([head, STYLE, ground, *parts, "</svg>"]) + "\n")


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" stroke-width="{width}"/>'


def text(x: float, y: float, words: str, colour: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}" text-anchor="{anchor}">{escape(words)}</text>'
