"""stdout is the result and nothing else; progress, notes and errors go to stderr."""

import json
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from fluidbench.report.tables import Table

# wide enough that nothing is cut where there is no terminal to ask
WIDTH_WITHOUT_TERMINAL = 500


@dataclass
class Output:
    """One invocation's output. With `as_json`, `envelope` is what a failure prints beside its error."""

    as_json: bool = False
    envelope: dict[str, Any] = field(default_factory=lambda: {"format_version": 1})

    def note(self, line: str) -> None:
        """A line for people, on stderr."""
        _console(stderr=True).print(line, highlight=False, markup=False, soft_wrap=True)

    def result(self, line: str = "") -> None:
        """A line of the result, on stdout."""
        if not self.as_json:
            _console().print(line, highlight=False, markup=False, soft_wrap=True)

    def table(self, table: "Table") -> None:
        """A table of the result, on stdout."""
        if not self.as_json:
            _console().print(_drawn(table))

    def document(self, text: str) -> None:
        """A result that is a text of its own, on stdout, as it is."""
        sys.stdout.write(text)

    def json(self, envelope: dict[str, Any]) -> None:
        """The result as JSON, on stdout, where JSON was asked for."""
        if self.as_json:
            print(json.dumps(envelope, ensure_ascii=False))  # noqa: T201

    def failure(self, code: str, message: str, hint: str) -> None:
        """The one message of a failed command; with JSON, the envelope with what there is, and the error."""
        if self.as_json:
            error = {"code": code, "message": message, "hint": hint}
            print(json.dumps({**self.envelope, "error": error}, ensure_ascii=False))  # noqa: T201
        self.note(f"Error: {message}" + (f"\n  {hint}" if hint else ""))


def _console(*, stderr: bool = False) -> "Console":
    from rich.console import Console

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, width=None if terminal or "COLUMNS" in os.environ else WIDTH_WITHOUT_TERMINAL)


def _drawn(table: "Table") -> Any:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(title=table.title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for position, header in enumerate(table.headers):
        drawn.add_column(header, justify="right" if table.numbers and position else "left", no_wrap=position == 0)
    for row in table.rows:
        first, *others = row.cells
        drawn.add_row(Text("  " * row.depth + first), *map(Text, others), style="bold" if row.strong else None)
    return drawn
