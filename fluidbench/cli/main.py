"""The app and the error boundary: an exception becomes a message, a hint and an exit code."""

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import typer

from fluidbench import __version__
from fluidbench.cli.compare import compare
from fluidbench.cli.doctor import doctor
from fluidbench.cli.down import down
from fluidbench.cli.export import export
from fluidbench.cli.history import history
from fluidbench.cli.import_ import import_
from fluidbench.cli.output import Output
from fluidbench.cli.prepare import prepare
from fluidbench.cli.render import render
from fluidbench.cli.run import run
from fluidbench.cli.status import status
from fluidbench.cli.up import up
from fluidbench.errors import FluidbenchError, Terminated, UsageProblem

EXIT_BUG = 70
EXIT_SIGINT = 130
EXIT_SIGPIPE = 141
ENDED_BY = {EXIT_SIGINT: "interrupted", Terminated.exit_code: "terminated"}

# rich's help takes longer than all the rest of --help
app = typer.Typer(
    name="fluidbench", rich_markup_mode=None, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
for command in (up, prepare, run, compare, status, history, export, import_, render, doctor, down):
    app.command(command.__name__.rstrip("_"))(command)


@app.callback(invoke_without_command=True)
def _fluidbench(
    ctx: typer.Context, version: bool = typer.Option(False, "--version", help="Print the version.")
) -> None:
    """Measure how much faster an ML pipeline gets when its steps share data through Vineyard instead of files."""
    if version:
        ctx.obj.result(f"fluidbench {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        ctx.obj.result(ctx.get_help())


def main(argv: Sequence[str]) -> int:
    """Runs one command and returns its exit code. The only place that catches what the core raises."""
    output = Output(as_json=_json_asked(argv))
    try:
        outcome = typer.main.get_command(app).main(
            args=list(argv), prog_name="fluidbench", standalone_mode=False, obj=output
        )
    except FluidbenchError as error:
        output.failure(error.code, error.message, error.hint)
        return error.exit_code
    except typer.TyperException as error:  # a wrong option or command: Typer's own classes, no longer Click's
        context = getattr(error, "ctx", None)
        hint = f"See: {context.command_path} --help" if context else "See: fluidbench --help"
        output.failure(UsageProblem.code, error.format_message(), hint)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        outcome = EXIT_SIGINT
    except Terminated:
        outcome = Terminated.exit_code
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit as error:  # Typer and rich end so when the reader has gone; completion ends so too
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        return _reader_gone()
    except Exception as error:  # the boundary: nothing may pass it unexplained
        output.failure("bug", f"{type(error).__name__}: {error}", f"This is a bug. Its traceback: {_bug_report()}")
        return EXIT_BUG
    if word := ENDED_BY.get(outcome):  # Typer, too, makes 130 of a KeyboardInterrupt
        output.failure(word, word, "What had ended is recorded: fluidbench history")
    return outcome if isinstance(outcome, int) else 0


def _json_asked(argv: Sequence[str]) -> bool:
    """Whether what follows is to be JSON, even where it is the error that the command line cannot be read."""
    words = " ".join(argv).replace("=", " ")
    return "--json" in argv or "--format json" in words


def entry() -> NoReturn:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminate)
    code = main(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _reader_gone()
    sys.exit(code)


def _reader_gone() -> int:
    # what Python still flushes at its exit must not complain
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    return EXIT_SIGPIPE


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated


def _bug_report() -> str:
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="fluidbench-bug-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        file.write(traceback.format_exc())
    return file.name
