"""Everything that can go wrong, one class an exit code."""

from typing import ClassVar


class FluidbenchError(Exception):
    """A failure that FluidBench foresaw: what failed, and what to do next."""

    exit_code: ClassVar[int] = 70
    code: ClassVar[str] = "bug"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageProblem(FluidbenchError):
    """A wrong option or setting, an unusable data directory, an unsupported platform."""

    exit_code = 2
    code = "usage"


class ToolMissing(FluidbenchError):
    """A program or package that is needed is missing or too old."""

    exit_code = 3
    code = "tool_missing"


class ExternalFailure(FluidbenchError):
    """An external program or an API failed or does not answer."""

    exit_code = 4
    code = "external_failure"


class WaitTimeout(FluidbenchError):
    """Something took longer than allowed: what, how long, the last state seen."""

    exit_code = 5
    code = "timeout"


class StepFailed(FluidbenchError):
    """A step of the pipeline failed."""

    exit_code = 6
    code = "step_failed"


class ResultProblem(FluidbenchError):
    """A result or dataset is missing, altered or not comparable, or the database is unusable."""

    exit_code = 7
    code = "result"


class DoesNotFit(FluidbenchError):
    """There is not enough memory or disk."""

    exit_code = 8
    code = "does_not_fit"


class SlowerThanAllowed(FluidbenchError):
    """A comparison got slower by more than `--fail-over` allows."""

    exit_code = 9
    code = "slower"


class MeasuringElsewhere(FluidbenchError):
    """Another measurement holds the machine's lock."""

    exit_code = 10
    code = "busy"


def of_exit_code(exit_code: int) -> type[FluidbenchError]:
    """The class of an exit code."""
    return next(kind for kind in FluidbenchError.__subclasses__() if kind.exit_code == exit_code)


class Terminated(BaseException):
    """SIGTERM or SIGHUP, raised in the main thread so that every `finally` runs, as it does for Ctrl-C."""

    exit_code = 143
