"""fluidbench status."""

import typer

from fluidbench.cli import options
from fluidbench.cli.output import Output


def status(ctx: typer.Context, as_json: options.Json = False) -> None:
    """Tell what is up, where, in which phase, and how full each worker of Vineyard is.

    Example: fluidbench status --json
    """
    import msgspec

    from fluidbench import text
    from fluidbench.report.tables import Row, Table
    from fluidbench.targets.cluster import current as currents
    from fluidbench.targets.cluster.bringup.site import Site
    from fluidbench.targets.cluster.bringup.status import status as ask

    output: Output = ctx.obj
    output.as_json = as_json
    current = currents.load()
    if current is None:
        output.json({"format_version": 1, "target": "local", "cluster": None})
        output.result("No cluster is up: the target is this machine. Bring one up with: fluidbench up")
        return
    output.envelope = {"format_version": 1, "target": "cluster", "current": msgspec.to_builtins(current)}
    seen = ask(Site.of(current))
    output.json({**output.envelope, "cluster": msgspec.to_builtins(seen)})
    whole = "ready" if seen.ready else "not ready; `fluidbench up` goes on with it"
    output.result(f"Context {seen.context}, namespace {seen.namespace}, Kubernetes {seen.version}: {whole}")
    output.result(f"Data: {seen.data}" + (f"  KUBECONFIG={seen.kubeconfig}" if seen.kubeconfig else ""))
    rows = [Row((f"node {node.name}", "Ready" if node.ready else "NotReady", node.version)) for node in seen.nodes]
    rows += [Row((part.name, part.state, part.where)) for part in (*seen.parts, *seen.runs)]
    output.table(Table("", ("", "State", "Where"), tuple(rows)))
    full = [
        Row((
            worker.pod, worker.node, worker.phase,
            "unknown" if worker.used_bytes is None
            else f"{text.size(worker.used_bytes)} of {text.size(worker.limit_bytes or 0)}",
        ))
        for worker in seen.workers
    ]  # fmt: skip
    if full:
        output.table(Table("", ("Vineyard worker", "Node", "Phase", "Used"), tuple(full)))
    for note in seen.notes:
        output.note(note)
