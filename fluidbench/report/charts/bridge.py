"""From the baseline's time to the arm's: what each part took off, or put on."""

from markupsafe import Markup

from fluidbench.report.charts import svg
from fluidbench.report.numbers import Number, Source

LEFT, RIGHT = 160, svg.WIDTH - 90
ROW, BAR = 30, 20


def bridge(source: Source, place: int) -> Markup:
    """Of the saving at `place`."""
    saving = source.at("analysis", "savings", place)
    before = source.sure("s", "analysis", "profiles", 0, "mean_s")
    after = source.sure("s", "analysis", "profiles", place + 1, "mean_s")
    numbers = {part: source.sure("signed_s", "analysis", "savings", place, "parts", part) for part in saving["parts"]}
    steps = [(part, number) for part, number in numbers.items() if part != "other" or number.value]
    levels = [before.value]
    for _, number in steps:
        levels.append(levels[-1] - number.value)
    scale = svg.linear(0, max(levels), LEFT, RIGHT)
    parts = [_whole(before, saving["baseline"], scale, 6)]
    for row, (part, number) in enumerate(steps, start=1):
        parts.append(_floating(number, part, scale, (levels[row - 1], levels[row]), 6 + row * ROW))
    parts.append(_whole(after, saving["arm"], scale, 6 + (len(steps) + 1) * ROW))
    bottom = 6 + (len(steps) + 2) * ROW
    grid = svg.axis(scale, svg.ticks(0, max(levels)), lambda value: f"{value:g} s", 0, bottom)
    said = ", ".join(f"{part} {number.text}" for part, number in steps)
    return svg.drawing(
        f"bridge-{place}",
        f"Where the saving of {saving['arm']} came from",
        f"From {before.text} with {saving['baseline']} to {after.text} with {saving['arm']}. Saved: {said}.",
        bottom + 32,
        [grid, *parts],
    )


def _whole(number: Number, name: str, scale: svg.Scale, y: float) -> Markup:
    return (
        svg.label(0, y + 15, name, "label strong")
        + svg.bar(LEFT, y, scale(number.value) - LEFT, BAR, "bar whole", f"{name}: {number.text}", number)
        + svg.told(number, scale(number.value) + 6, y + 15, "label strong")
    )


def _floating(number: Number, part: str, scale: svg.Scale, levels: tuple[float, float], y: float) -> Markup:
    left, right = scale(min(levels)), scale(max(levels))
    hint = f"{part}: {number.text} saved"
    return (
        svg.label(14, y + 15, part)
        + svg.bar(left, y, right - left, BAR, f"bar {part}", hint, number)
        # where this one ends the next one begins
        + svg.line(scale(levels[1]), y + BAR, scale(levels[1]), y + ROW, "link")
        + svg.told(number, right + 6, y + 15)
    )
