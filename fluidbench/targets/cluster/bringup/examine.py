"""What this machine can do for `up`, as findings of `doctor`."""

from fluidbench.errors import FluidbenchError
from fluidbench.records import Finding
from fluidbench.targets.cluster.bringup.check import Check
from fluidbench.targets.cluster.bringup.events import Told
from fluidbench.targets.cluster.bringup.options import UpOptions
from fluidbench.targets.cluster.bringup.site import Site


def examine(options: UpOptions) -> list[Finding]:
    """What stage 1 of `up` looks at, without going on: the first thing that stands in the way, and its warnings."""
    work = Check(Site(options)).run()
    findings = []
    try:
        while True:
            event = next(work)
            if isinstance(event, Told):
                findings.append(Finding("warning" if event.warning else "seen", event.text, good=True))
    except StopIteration as end:
        findings.append(Finding("tools", str(end.value), good=True))
    except FluidbenchError as error:
        findings.append(Finding("up", error.message, good=False, fix=error.hint, exit_code=error.exit_code))
    return findings
