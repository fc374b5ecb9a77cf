"""Elements, scales and axes of the charts. A chart's colours are classes: the page decides on light and dark."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from markupsafe import Markup

from fluidbench.report.numbers import Number

WIDTH = 760
Scale = Callable[[float], float]


def element(tag: str, *children: str, number: Number | None = None, **attributes: Any) -> Markup:
    """One element; `class_` becomes class, x_y becomes x-y, and a number brings where it comes from."""
    named = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    if number is not None:
        named |= number.attributes
    told = Markup("").join(Markup(' {}="{}"').format(name, _plain(value)) for name, value in named.items())
    return Markup("<{0}{1}>{2}</{0}>").format(tag, told, Markup("").join(children))


def _plain(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def label(x: float, y: float, words: str, class_: str = "label", anchor: str = "start", **more: Any) -> Markup:
    return element("text", words, x=x, y=y, class_=class_, text_anchor=anchor, **more)


def told(number: Number, x: float, y: float, class_: str = "label", anchor: str = "start") -> Markup:
    """A number as text."""
    return element("text", number.text, number=number, x=x, y=y, class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def bar(x: float, y: float, width: float, height: float, class_: str, hint: str, number: Number) -> Markup:
    """A bar that tells what it is when one points at it."""
    return element(
        "rect", element("title", hint), number=number, x=x, y=y, width=max(width, 0.5), height=height, class_=class_
    )


def drawing(name: str, title: str, description: str, height: float, parts: Iterable[str]) -> Markup:
    """A whole chart, with a name and a description for those who do not see it."""
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        *parts,
        id=name,
        viewBox=f"0 0 {WIDTH} {math.ceil(height)}",
        role="img",
        aria_labelledby=f"{name}-title",
        aria_describedby=f"{name}-desc",
    )


def linear(low: float, high: float, left: float, right: float) -> Scale:
    """From values to places; a range of nothing is put in the middle."""
    if high <= low:
        return lambda _: (left + right) / 2
    return lambda value: left + (value - low) / (high - low) * (right - left)


def logarithmic(low: float, high: float, left: float, right: float) -> Scale:
    inner = linear(math.log(low), math.log(high), left, right)
    return lambda value: inner(math.log(value))


def ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Round values from low to high: 1, 2 or 5 times a power of ten apart."""
    span = (high - low) or 1.0
    power = 10.0 ** math.floor(math.log10(span / count))
    step = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= count)
    return [place * step for place in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)]


def axis(scale: Scale, values: Sequence[float], words: Callable[[float], str], top: float, bottom: float) -> Markup:
    """Vertical grid lines with their values below. Not read aloud: the numbers are in the tables."""
    marks = [
        line(scale(value), top, scale(value), bottom, "grid") + label(
            scale(value), bottom + 21, words(value), "tick", "middle"
        )
        for value in values
    ]  # fmt: skip
    return element("g", *marks, aria_hidden="true", class_="axis")
