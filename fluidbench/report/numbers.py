"""Numbers of a page, each with the place in the JSON that it was taken from: nothing is shown that is not there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from fluidbench import text
from fluidbench.report.breakdown import byte_seconds, signed

UNITS: Mapping[str, Callable[[float], str]] = {
    "s": text.seconds,
    "signed_s": signed,
    "x": lambda ratio: f"{ratio:.2f}x",
    "ratio": lambda ratio: f"{ratio:.2f}",
    "bytes": text.size,
    "byte_s": byte_seconds,
    "bandwidth": text.bandwidth,
    "count": lambda count: f"{count:,}",
}
NOTHING = "–"


@dataclass(frozen=True)
class Number:
    """A value, its JSON Pointer (RFC 6901), and what it is a number of."""

    value: float
    pointer: str
    unit: str

    @property
    def text(self) -> str:
        """As people read it."""
        return UNITS[self.unit](self.value)

    @property
    def attributes(self) -> dict[str, str]:
        """What makes an element of the page one that can be checked against the JSON."""
        return {"data-json": self.pointer, "data-value": repr(self.value), "data-unit": self.unit}

    def __html__(self) -> str:
        attributes = Markup("").join(Markup(' {}="{}"').format(*entry) for entry in self.attributes.items())
        return Markup('<data value="{}"{}>{}</data>').format(self.attributes["data-value"], attributes, self.text)


class Source:
    """The JSON of a comparison, read by paths."""

    def __init__(self, envelope: Mapping[str, Any]) -> None:
        self._envelope = envelope

    def at(self, *path: str | int) -> Any:
        """What is at a path; None where something on the way is null."""
        found: Any = self._envelope
        for key in path:
            found = None if found is None else found[key]
        return found

    def number(self, unit: str, *path: str | int) -> Number | None:
        """The number at a path; None where there is none."""
        value = self.at(*path)
        return None if value is None else Number(value, pointer(*path), unit)

    def sure(self, unit: str, *path: str | int) -> Number:
        """The number at a path where there always is one."""
        return Number(self.at(*path), pointer(*path), unit)

    def shown(self, unit: str, *path: str | int) -> Number | str:
        """The number at a path, or a dash."""
        return self.number(unit, *path) or NOTHING


def pointer(*path: str | int) -> str:
    return "".join(f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in path)
