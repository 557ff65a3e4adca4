"""Draws the ratios of report.py as an SVG: one bar for each comparison, with its quartiles and its goal.

    python3 -B benches/report.py target/bench/speed --plot docs/speed.svg

A bar is what one operation of palitra's costs (time or memory) when the rival's costs 1: shorter is better. The thin
line across its end goes from the lower to the upper quartile; the mark across the bar is the goal, where there is one.
"""

import dataclasses
from xml.sax.saxutils import escape

LEFT, WIDTH, RIGHT = 250, 430, 60
ROW, BAR, TOP, BOTTOM = 30, 16, 44, 40
INK, FADED, OURS, GOAL = "#1f2933", "#9aa5b1", "#2b6cb0", "#c05621"


@dataclasses.dataclass
class Bar:
    title: str
    cost: float
    lower: float
    upper: float
    goal: float | None  # as a cost


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
    width, height = LEFT + WIDTH + RIGHT, bottom + BOTTOM
    box = f'viewBox="0 0 {width} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {box} font-family="sans-serif" font-size="12">'
    ground = f'<rect width="{width}" height="{height}" fill="white"/>'
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([head, ground, *parts, "</svg>"]) + "\n")


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" stroke-width="{width}"/>'


def text(x: float, y: float, words: str, colour: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}" text-anchor="{anchor}">{escape(words)}</text>'
