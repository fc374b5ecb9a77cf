"""Memory: the peak of each step in each arm, and what the stores hold."""

from markupsafe import Markup

from fluidbench import text
from fluidbench.report.charts import svg
from fluidbench.report.numbers import Number, Source

LEFT, RIGHT = 270, svg.WIDTH - 96
ROW, BAR = 24, 16


def memory(source: Source) -> Markup:
    """A bar a step and arm, and one an arm for the shared memory held."""
    rows = _rows(source)
    high = max((number.value for _, number, _ in rows), default=0.0) or 1.0
    scale = svg.linear(0, high, LEFT, RIGHT)
    parts: list[Markup] = []
    for place, (name, number, kind) in enumerate(rows):
        y = 4 + place * ROW
        parts.append(svg.label(0, y + 12, name))
        parts.append(svg.bar(LEFT, y, scale(number.value) - LEFT, BAR, f"bar {kind}", f"{name}: {number.text}", number))
        parts.append(svg.told(number, scale(number.value) + 6, y + 12))
    bottom = 4 + len(rows) * ROW
    return svg.drawing(
        "memory",
        "Memory: the peak of each step, and what each store holds",
        "; ".join(f"{name}: {number.text}" for name, number, _ in rows) + ".",
        bottom + 32,
        [svg.axis(scale, svg.ticks(0, high, 4), text.size, 0, bottom), *parts],
    )


def _rows(source: Source) -> list[tuple[str, Number, str]]:
    arms = source.at("arms")
    rows = [
        (f"{step['name']}, {arm['label']}", source.sure("bytes", "arms", place, "steps", number, PEAK), "private")
        for number, step in enumerate(arms[0]["steps"])
        for place, arm in enumerate(arms)
    ]
    held = [
        (f"shared, held by {arm['label']}", source.sure("bytes", "arms", place, "shared_memory_bytes"), "shared")
        for place, arm in enumerate(arms)
    ]
    return [*rows, *held]


PEAK = "peak_private_bytes"
