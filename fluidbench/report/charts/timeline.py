"""Both arms by step and phase, each step where the one before it ended."""

from collections.abc import Iterator

from markupsafe import Markup

from fluidbench.analysis import PART_OF
from fluidbench.report.charts import svg
from fluidbench.report.numbers import Number, Source

LEFT, RIGHT = 176, svg.WIDTH - 90
ROW, BAR = 26, 18
# a character's width, so that nothing is written over the end of a bar
CHARACTER = 7.2


def timeline(source: Source) -> Markup:
    """The arms below each other on one scale of seconds."""
    profiles = source.at("analysis", "profiles")
    scale = svg.linear(0, max(profile["mean_s"] for profile in profiles), LEFT, RIGHT)
    parts: list[Markup] = []
    y = 8.0
    for place in range(len(profiles)):
        drawn, y = _arm(source, place, scale, y)
        parts += drawn
    high = max(profile["mean_s"] for profile in profiles)
    grid = svg.axis(scale, svg.ticks(0, high), lambda value: f"{value:g} s", 8, y)
    return svg.drawing(
        "timeline",
        "Where the time went: each arm's steps and phases, one after the other",
        "; ".join(_told(source, place) for place in range(len(profiles))) + ". Means over the rounds.",
        y + 32,
        [grid, *parts],
    )


def _arm(source: Source, place: int, scale: svg.Scale, y: float) -> tuple[list[Markup], float]:
    path = ("analysis", "profiles", place)
    total = source.sure("s", *path, "mean_s")
    parts = [svg.label(0, y + 15, source.at(*path, "arm"), "label strong"), _end(total, scale(total.value), y)]
    y += ROW
    at = 0.0
    for number, step in enumerate(source.at(*path, "steps")):
        parts.append(svg.label(14, y + 14, step["name"]))
        for phase, seconds in step["phases"].items():
            one = source.sure("s", *path, "steps", number, "phases", phase)
            parts += _segment(one, phase, PART_OF.get(phase, "other"), scale, at, y)
            at += seconds
        parts.append(_end(source.sure("s", *path, "steps", number, "mean_s"), scale(at), y, "label"))
        y += ROW
    around = source.sure("s", *path, "around_s")
    parts.append(svg.label(14, y + 14, "around the steps"))
    parts += _segment(around, "around the steps", "orchestration", scale, at, y)
    parts.append(_end(around, scale(max(at, at + around.value)), y, "label"))
    return parts, y + ROW + 10


def _segment(number: Number, name: str, part: str, scale: svg.Scale, at: float, y: float) -> Iterator[Markup]:
    left, right = scale(at), scale(at + max(number.value, 0.0))
    yield svg.bar(left, y, right - left, BAR, f"bar {part}", f"{name}: {number.text} ({part})", number)
    words = f"{name} {number.text}"
    shown = words if len(words) * CHARACTER < right - left - 6 else name
    if len(shown) * CHARACTER < right - left - 6:
        yield svg.label((left + right) / 2, y + 13, shown, "inside", "middle", aria_hidden="true")


def _end(number: Number, x: float, y: float, class_: str = "label strong") -> Markup:
    return svg.told(number, x + 6, y + 14, class_)


def _told(source: Source, place: int) -> str:
    path = ("analysis", "profiles", place)
    steps = ", ".join(
        f"{step['name']} {source.sure('s', *path, 'steps', number, 'mean_s').text}"
        for number, step in enumerate(source.at(*path, "steps"))
    )
    return f"{source.at(*path, 'arm')} takes {source.sure('s', *path, 'mean_s').text}: {steps}"
