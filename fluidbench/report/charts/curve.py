"""The model: how many times faster an arm would be on storages of other bandwidths."""

from markupsafe import Markup

from fluidbench import text
from fluidbench.report.charts import svg
from fluidbench.report.numbers import Number, Source

LEFT, RIGHT, TOP, BOTTOM = 76, svg.WIDTH - 40, 30, 280
KINDS = {"reads_wait": "only reads wait", "writes_wait": "writes wait too, as on NFS"}
TICKS = (50e6, 200e6, 500e6, 2e9, 10e9)


def curve(source: Source, place: int) -> Markup:
    """Of the arm at `place` among the others."""
    path = ("analysis", "what_if", place)
    arm, many = source.at(*path, "arm"), len(source.at(*path, "curve"))
    lines = {
        kind: [
            (source.at(*path, "curve", point, "bandwidth_bytes_per_s"),
             source.sure("x", *path, "curve", point, kind, "ratio"))
            for point in range(many)
        ]
        for kind in KINDS
    }  # fmt: skip
    ratios = [number.value for points in lines.values() for _, number in points]
    x = svg.logarithmic(lines["reads_wait"][0][0], lines["reads_wait"][-1][0], LEFT, RIGHT)
    low, high = min(0.9, *ratios), max(1.1, *ratios)
    y = svg.linear(low, high, BOTTOM, TOP)
    parts = [_levels(y, low, high), svg.axis(x, TICKS, text.bandwidth, TOP, BOTTOM)]
    parts += [_line(points, kind, x, y) for kind, points in lines.items()]
    parts += [_seen(source, place, x), _asked(source, place, x, y)]
    return svg.drawing(
        f"what-if-{place}",
        f"A model: how many times faster {arm} would be on another storage",
        f"From {lines['reads_wait'][0][1].text} or, where writes wait too, {lines['writes_wait'][0][1].text} at "
        f"{text.bandwidth(TICKS[0])} to {lines['reads_wait'][-1][1].text} at the other end.",
        BOTTOM + 32,
        parts,
    )


def _levels(y: svg.Scale, low: float, high: float) -> Markup:
    marks = [
        svg.line(LEFT, y(value), RIGHT, y(value), "grid")
        + svg.label(LEFT - 8, y(value) + 4, f"{value:g}x", "tick", "end")
        for value in svg.ticks(low, high, 5)
    ]
    return svg.element("g", *marks, svg.line(LEFT, y(1), RIGHT, y(1), "one"), aria_hidden="true")


def _line(points: list[tuple[float, Number]], kind: str, x: svg.Scale, y: svg.Scale) -> Markup:
    places = " ".join(f"{x(bandwidth):.2f},{y(number.value):.2f}" for bandwidth, number in points)
    drawn = svg.element("polyline", points=places, class_=f"curve {kind}")
    for bandwidth, number in points:
        hint = svg.element("title", f"{text.bandwidth(bandwidth)}, {KINDS[kind]}: {number.text}")
        drawn += svg.element(
            "circle", hint, number=number, cx=x(bandwidth), cy=y(number.value), r=3, class_=f"dot {kind}"
        )
    return drawn


def _seen(source: Source, place: int, x: svg.Scale) -> Markup:
    """The bandwidth that the runs themselves saw."""
    number = source.number("bandwidth", "analysis", "what_if", place, "read_bytes_per_s")
    if number is None or not LEFT <= x(number.value) <= RIGHT:
        return Markup("")
    at = x(number.value)
    right = at < (LEFT + RIGHT) / 2
    words = svg.element(
        "text", f"these runs: {number.text}", number=number, x=at + (6 if right else -6), y=TOP - 10, class_="label",
        text_anchor="start" if right else "end",
    )  # fmt: skip
    return svg.line(at, TOP - 20, at, BOTTOM, "seen") + words


def _asked(source: Source, place: int, x: svg.Scale, y: svg.Scale) -> Markup:
    """The bandwidth that was asked for."""
    path = ("analysis", "what_if", place, "asked")
    asked = source.at(*path)
    if asked is None or not LEFT <= x(asked["bandwidth_bytes_per_s"]) <= RIGHT:
        return Markup("")
    drawn = Markup("")
    for kind, words in KINDS.items():
        number = source.sure("x", *path, kind, "ratio")
        at = x(asked["bandwidth_bytes_per_s"]), y(number.value)
        hint = svg.element("title", f"asked: {text.bandwidth(asked['bandwidth_bytes_per_s'])}, {words}: {number.text}")
        drawn += svg.element("circle", hint, number=number, cx=at[0], cy=at[1], r=7, class_=f"asked {kind}")
    return drawn
