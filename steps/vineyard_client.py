"""A client of the Vineyard that this container was given, and of no other."""

import os
import time
from typing import Any

import imports

# the fuse pod links the socket, and rewrites the configuration every 5 s, not in one go
APPEARS_WITHIN_S = 30.0
INTERVAL_S = 0.2


def connect(wait_s: float = APPEARS_WITHIN_S) -> Any:
    """Connects through shared memory, or by RPC where there is no socket after `wait_s`.

    Raises ConnectionError where there is neither. `vineyard.connect()` would start a server of its own instead.
    """
    imports.install()
    import vineyard

    if not {"VINEYARD_CONFIG", "VINEYARD_IPC_SOCKET"} & os.environ.keys():
        raise ConnectionError("neither VINEYARD_CONFIG nor VINEYARD_IPC_SOCKET says where Vineyard is")
    deadline = time.monotonic() + wait_s
    while True:
        last = time.monotonic() >= deadline
        try:
            client = vineyard.Client()
        except (ConnectionError, ValueError, AttributeError):  # nothing there, or half of a configuration
            if last:
                raise
        else:
            if last or client.has_ipc_client():
                return client
        time.sleep(INTERVAL_S)


def used_bytes(client: Any) -> dict[str, int]:
    """What each worker holds; of those that cannot be asked, nothing is told."""
    import vineyard

    used = {f"{client.instance_id}": int(client.status.memory_usage)}
    for instance, facts in client.meta.items():
        host, _, port = facts.get("rpc_endpoint", "").rpartition(":")
        if f"{instance}" in used or not host:
            continue
        try:
            used[f"{instance}"] = int(vineyard._connect(host, port).status.memory_usage)
        except RuntimeError:  # vineyard's own errors; a worker that is gone stays in the list for a while
            continue
    return used
