"""The rounds as points, and the interval below them."""

from markupsafe import Markup

from fluidbench.report.charts import svg
from fluidbench.report.numbers import Number, Source

LEFT, RIGHT = 186, svg.WIDTH - 50
TALLEST, ROW = 480, 22


def rounds(source: Source, place: int) -> Markup | None:
    """Of the arm at `place` among the others; None where no round has a ratio."""
    arm = source.at("analysis", "savings", place, "arm")
    entry = _total(source, arm)
    points = [
        number
        for row in range(len(source.at("analysis", "rounds")))
        if (number := source.number("x", "analysis", "rounds", row, "ratios", arm)) and number.value > 0
    ]
    ratio = source.number("x", "comparisons", entry, "ratio")
    if not points or ratio is None:
        return None
    ends = (
        [source.sure("ratio", "comparisons", entry, "interval", end) for end in (0, 1)] if _has(source, entry) else []
    )
    values = [1.0, ratio.value, *(one.value for one in (*points, *ends))]
    low, high = min(values) / 1.04, max(values) * 1.04
    scale = svg.logarithmic(low, high, LEFT, RIGHT)
    height = min(TALLEST, ROW * len(points))
    bottom = height + 50
    said = f"{len(points)} rounds; ratio {ratio.text}" + (f", {ends[0].text} to {ends[1].text}" if ends else "")
    return svg.drawing(
        f"rounds-{place}",
        f"How many times faster {arm} was in each round",
        f"{said}. Right of 1: {arm} is faster.",
        bottom + 48,
        [
            _margin(source.at("margin"), scale, (low, high), bottom),
            svg.axis(scale, svg.ticks(low, high), lambda value: f"{value:g}x", 0, bottom),
            svg.line(scale(1), 0, scale(1), bottom, "one"),
            *_points(points, scale, height),
            _estimate(ratio, ends, scale, height + 28),
            svg.label(scale(1) - 8, bottom + 42, "slower", "tick", "end"),
            svg.label(scale(1) + 8, bottom + 42, "faster", "tick"),
        ],
    )


def _total(source: Source, arm: str) -> int:
    """Where the comparison of the whole run is."""
    entries = source.at("comparisons")
    return next(place for place, entry in enumerate(entries) if (entry["arm"], entry["scope"]) == (arm, "total"))


def _has(source: Source, entry: int) -> bool:
    return source.at("comparisons", entry, "interval") is not None


def _margin(margin: float, scale: svg.Scale, shown: tuple[float, float], bottom: float) -> Markup:
    """What counts as the same."""
    left, right = scale(max(shown[0], 1 / (1 + margin))), scale(min(shown[1], 1 + margin))
    return svg.element("rect", x=left, y=0, width=right - left, height=bottom, class_="margin")


def _points(points: list[Number], scale: svg.Scale, height: float) -> list[Markup]:
    apart = height / len(points)
    drawn = []
    for row, number in enumerate(points):
        y = apart * (row + 0.5)
        if apart >= ROW - 1:
            drawn.append(svg.label(0, y + 4, f"round {row + 1}"))
        hint = svg.element("title", f"round {row + 1}: {number.text}")
        drawn.append(svg.element("circle", hint, number=number, cx=scale(number.value), cy=y, r=5, class_="point"))
    return drawn


def _estimate(ratio: Number, ends: list[Number], scale: svg.Scale, y: float) -> Markup:
    x = scale(ratio.value)
    diamond = svg.element(
        "path", svg.element("title", f"all rounds: {ratio.text}"), number=ratio, class_="estimate",
        d=f"M{x - 8:.2f} {y:.2f} L{x:.2f} {y - 8:.2f} L{x + 8:.2f} {y:.2f} L{x:.2f} {y + 8:.2f} Z",
    )  # fmt: skip
    drawn = svg.label(0, y + 4, "all rounds, 95 %" if ends else "all rounds", "label strong")
    if ends:
        low, high = (scale(end.value) for end in ends)
        drawn += svg.line(low, y, high, y, "interval")
        for end, place in zip(ends, (low, high), strict=True):
            drawn += svg.element(
                "line", svg.element("title", end.text), number=end, x1=place, x2=place, y1=y - 7, y2=y + 7,
                class_="interval",
            )  # fmt: skip
    return drawn + diamond
