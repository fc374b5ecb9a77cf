"""A comparison as one page that stands for itself: no script, no file beside it, no network."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fluidbench import __version__
from fluidbench.places import templates_dir
from fluidbench.report import page_tables
from fluidbench.report.breakdown import even_words
from fluidbench.report.charts.bridge import bridge
from fluidbench.report.charts.curve import curve
from fluidbench.report.charts.memory import memory
from fluidbench.report.charts.rounds import rounds
from fluidbench.report.charts.timeline import timeline
from fluidbench.report.numbers import Number, Source
from fluidbench.whatif import BreakEven


def html(envelope: Mapping[str, Any], about: str) -> str:
    """The page of the JSON that `compare --json` prints; it has at least one whole round."""
    source = Source(envelope)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            version=__version__,
            about=about,
            data=source,
            arms=[_arm(source, place) for place in range(len(source.at("analysis", "savings")))],
            timeline=timeline(source),
            memory=memory(source),
            tables=_tables(source),
            json=_embedded(envelope),
        )
    )


def _arm(source: Source, place: int) -> dict[str, Any]:
    """What is told of one arm against the baseline."""
    saving = source.at("analysis", "savings", place)
    entry = next(
        number
        for number, one in enumerate(source.at("comparisons"))
        if (one["arm"], one["scope"]) == (saving["arm"], "total")
    )
    profile = ("analysis", "profiles", place + 1)
    return {
        "place": place,
        "name": saving["arm"],
        "baseline": saving["baseline"],
        "verdict": source.at("comparisons", entry, "verdict"),
        "method": source.at("comparisons", entry, "method"),
        "ratio": source.shown("x", "comparisons", entry, "ratio"),
        "interval": _ends(source, entry),
        "saved": source.sure("signed_s", "analysis", "savings", place, "saving_s"),
        "exchange": source.sure("signed_s", "analysis", "savings", place, "parts", "exchange"),
        "elsewhere": source.sure("signed_s", "analysis", "savings", place, "elsewhere_s"),
        "held": source.sure("bytes", *profile, "shared_memory_bytes"),
        "held_long": source.sure("byte_s", *profile, "shared_memory_byte_s"),
        "rounds": rounds(source, place),
        "bridge": bridge(source, place),
        "curve": curve(source, place),
        "what_if": page_tables.what_if(source, place),
        "seen": source.number("bandwidth", "analysis", "what_if", place, "read_bytes_per_s"),
        "even": _even(source, place, "break_even"),
        "even_writes": _even(source, place, "break_even_writes_wait"),
    }


def _ends(source: Source, entry: int) -> list[Number]:
    if source.at("comparisons", entry, "interval") is None:
        return []
    return [source.sure("ratio", "comparisons", entry, "interval", end) for end in (0, 1)]


def _even(source: Source, place: int, kind: str) -> Markup:
    """Where an arm is the faster one, in words, with the number marked as one."""
    path = ("analysis", "what_if", place, kind)
    number = source.number("bandwidth", *path, "bandwidth_bytes_per_s")
    if number is None:
        return Markup("{}").format(even_words(BreakEven(**source.at(*path))))
    return Markup("{} {}").format(source.at(*path, "faster"), number)


def _tables(source: Source) -> dict[str, page_tables.PageTable | None]:
    return {
        "times": page_tables.times(source),
        "parts": page_tables.parts(source),
        "rounds": page_tables.rounds(source),
        "memory": page_tables.memory(source),
        "facts": page_tables.facts(source),
        "machines": page_tables.machines(source),
    }


def _embedded(envelope: Mapping[str, Any]) -> Markup:
    """JSON that cannot end the element it lies in."""
    return Markup(json.dumps(envelope, ensure_ascii=False).replace("<", "\\u003c"))  # noqa: S704


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(templates_dir()),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
