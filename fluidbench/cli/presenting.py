"""How `compare` shows what it found: as a table, JSON, CSV, Markdown, and as a page in a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fluidbench.cli.output import Output
from fluidbench.errors import ResultProblem, UsageProblem
from fluidbench.published import MULTIPLIER as PUBLISHED

if TYPE_CHECKING:
    from fluidbench.analysis import Analysis
    from fluidbench.comparison import Comparison
    from fluidbench.machines import Foreign
    from fluidbench.records import Run

FORMATS = ("table", "json", "csv", "markdown")
# more stores than this are a row each: a terminal is not wide enough for a column and two of its own
SIDE_BY_SIDE = 3


@dataclass(frozen=True)
class Wish:
    """How the result is to be shown: checked before anything is run."""

    format: str
    html: Path | None
    bandwidth_bytes_per_s: float | None


def wish(output: Output, format_: str | None, as_json: bool, html: Path | None, what_if: str | None) -> Wish:
    """From options; raises UsageProblem where one says nothing, or the page could not be written."""
    from fluidbench import places, text

    if format_ not in (None, *FORMATS):
        raise UsageProblem(f"there is no format {format_!r}", f"Known are: {', '.join(FORMATS)}.")
    if as_json and format_ not in (None, "json"):
        raise UsageProblem(f"--json and --format {format_} contradict each other", "Give one of them.")
    bandwidth = text.parse_bandwidth(what_if) if what_if else None
    if html:
        places.check_replaceable(html)
    output.as_json = as_json or format_ == "json"
    return Wish("json" if as_json else format_ or "table", html, bandwidth)


def present(
    output: Output, wanted: Wish, comparison: "Comparison", recorded: Sequence["Run"], multiplier: int, *, stopped: bool
) -> None:
    """Shows a comparison of runs that are recorded as it was wished, but for JSON, which comes when nothing can fail
    any more. The page is written first. What was `stopped` before there was a whole round has nothing to show."""
    from fluidbench.analysis import analyse
    from fluidbench.report import envelope, exports

    about = _about(comparison, multiplier)
    analysis = analyse(comparison, recorded, wanted.bandwidth_bytes_per_s)
    output.envelope = envelope.comparison(comparison, analysis)
    if stopped and not comparison.rounds:
        return
    if wanted.html:
        _write_page(output, wanted.html, about)
    if wanted.format == "csv":
        output.document(exports.as_csv(comparison, analysis))
    elif wanted.format == "markdown":
        output.document(exports.as_markdown(comparison, analysis, about))
    elif wanted.format == "table":
        published = (multiplier, _pipeline(comparison)) == (PUBLISHED, "published")
        _show(output, comparison, analysis, about, published=published)


def require(comparison: "Comparison", allowed: float | None) -> None:
    """Raises what stands against the comparison.

    That is ResultProblem where the stores did not do the same work, SlowerThanAllowed where an arm takes longer by more
    than is allowed; None: that is not asked.
    """
    if comparison.equivalent is False:
        raise ResultProblem(
            "the runs did not compute the same: " + "; ".join(comparison.differences[:5]),
            "See both: fluidbench history RUN --json. A store that changes the data cannot be compared.",
        )
    if allowed is not None:
        from fluidbench import regression

        regression.require_no_slower(comparison.against, allowed)


def _write_page(output: Output, path: Path, about: str) -> None:
    from fluidbench import places
    from fluidbench.report import page

    if not output.envelope["rounds"]:
        raise ResultProblem(
            f"there is no whole round to make a page of, so {path} was not written", "Run some: fluidbench compare"
        )
    with places.replaced(path) as file:
        file.write(page.html(output.envelope, about).encode())
    output.note(f"The page is in {path}.")


def _show(
    output: Output, comparison: "Comparison", analysis: "Analysis | None", about: str, *, published: bool
) -> None:
    from fluidbench import text
    from fluidbench.report import breakdown, sentences, tables

    if comparison.rounds:
        for line in sentences.headline(comparison):
            output.result(line)
        output.result(f"{about} Ratio above 1: faster than the first store.")
        if len(comparison.arms) > SIDE_BY_SIDE:
            output.table(tables.overview_table(comparison))
            output.result("The phases of each store: --format markdown, --html FILE, or --stores with fewer of them.")
        else:
            output.table(breakdown.with_breakdown(tables.comparison_table(comparison), comparison, analysis))
    else:
        output.result(about)
    for line in [*sentences.remarks(comparison), *breakdown.remarks(analysis)]:
        output.result(line)
    for reason in comparison.confounded:
        output.result(f"Confounded: {reason}")
    if published:
        output.table(tables.published_table())
    for single in comparison.singles:
        output.result(f"Beside it: {single.run_id} {single.store} {text.seconds(single.duration_s)} ({single.cache})")
    for reason, count in comparison.not_comparable.items():
        output.result(f"Not comparable: {text.counted(count, 'run')} ({reason})")


def _about(comparison: "Comparison", multiplier: int) -> str:
    """What was compared, in a sentence."""
    from fluidbench import text

    if not comparison.rounds:
        return f"No whole round of multiplier {multiplier} is recorded for this machine, dataset and settings."
    rounds = text.counted(comparison.rounds, "whole round")
    storage = comparison.identity.storage if comparison.identity else None
    files = f"files {comparison.cache}" + (f", storage {storage}" if storage else "")
    return f"Multiplier {multiplier}, pipeline {_pipeline(comparison)}, {rounds}, medians; {files}."


def _pipeline(comparison: "Comparison") -> str:
    return comparison.identity.pipeline if comparison.identity else "published"


def tell_foreign(output: Output, found: Sequence["Foreign"], *, force: bool, alone: bool) -> None:
    """Says which rounds other machines made, and what differs.

    Raises ResultProblem where they are `alone`, so that there is nothing to show without force.
    """
    from fluidbench.report import breakdown

    lines = [
        line
        for machine in found
        for line in (
            f"machine {machine.hash}, whole rounds: {machine.rounds}",
            *(f"  {line}" for line in breakdown.difference_lines(machine.differences)),
        )
    ]
    if lines and alone and not force:
        raise ResultProblem(
            "\n".join(["what is recorded was measured on another machine", *lines]),
            "Compare it all the same: fluidbench compare --force",
        )
    title = "Compared by force; what differs:" if force else "Not compared without --force:"
    for line in [title, *lines] if lines else ():
        output.note(line)
