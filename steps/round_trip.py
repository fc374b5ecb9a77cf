"""Proves Vineyard on one node: an object is put and comes back through shared memory. Prints one JSON line.

`--usage` only tells how full the node's worker is. Ends with 1, and says why, where the node's worker is not reached
through its socket, or the object comes back altered.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import contract

SOCKET_TIMEOUT_S = 90.0
PROBE_BYTES = 1 << 20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--usage", action="store_true")
    only_usage = parser.parse_args().usage
    asked = os.environ.get("FLUIDBENCH_CONTRACT", str(contract.CONTRACT_VERSION))
    if asked != str(contract.CONTRACT_VERSION):
        sys.exit(
            f"the image speaks version {contract.CONTRACT_VERSION} of the step contract, FluidBench asked for {asked}"
        )
    directory = Path(os.environ["VINEYARD_CONFIG"])
    client, waited_s = connect(directory)
    told = {"waited_s": waited_s} if only_usage else {"waited_s": waited_s, **round_trip(client)}
    status = client.status
    print(json.dumps({**told, "used_bytes": int(status.memory_usage), "limit_bytes": int(status.memory_limit)}))


def connect(directory: Path) -> tuple[Any, float]:
    """A client on the worker's socket. The claim's configuration is rewritten every few seconds, and not at once, and
    the socket of a young worker is missing for seconds: so it is tried again for a while."""
    import vineyard

    began = time.monotonic()
    problem = ""
    while time.monotonic() - began < SOCKET_TIMEOUT_S:
        if socket := next((path for path in sorted(directory.glob("*.sock")) if path.is_socket()), None):
            try:
                return vineyard.Client(socket=str(socket)), time.monotonic() - began
            except Exception as error:  # vineyard's own, of several kinds
                problem = f"{socket}: {error}"
        else:
            problem = f"no socket of a worker in {directory}, only {sorted(path.name for path in directory.glob('*'))}"
        time.sleep(0.5)
    sys.exit(f"no vineyard worker on this node within {SOCKET_TIMEOUT_S:g} s: {problem}")


def round_trip(client: Any) -> dict[str, float]:
    """Puts an object, gets it back and removes it; the seconds that both took."""
    import numpy

    sent = numpy.arange(PROBE_BYTES // 8, dtype="int64")
    began = time.monotonic()
    identity = client.put(sent)
    put_s = time.monotonic() - began
    began = time.monotonic()
    same = bool((numpy.asarray(client.get(identity)) == sent).all())
    get_s = time.monotonic() - began
    client.delete(identity, force=True, deep=True)
    if not same:
        sys.exit("an object came back from vineyard altered")
    return {"put_s": put_s, "get_s": get_s}


if __name__ == "__main__":
    main()
