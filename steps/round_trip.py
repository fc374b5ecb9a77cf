"""round-trip: puts an object into this node's Vineyard worker and gets it back; prints one line of JSON.

Ends with 1 where it came back otherwise than through shared memory, or not at all.
"""

import json
import sys
import time
import uuid

import contract
import vineyard_client

SIZE = 1 << 17


def main() -> int:
    contract.parameters([])  # refuses a FluidBench that speaks another version of the contract
    client = vineyard_client.connect()
    import numpy as np

    name = f"round-trip-{uuid.uuid4()}"
    sent = np.random.default_rng().integers(0, 1 << 62, SIZE)
    began = time.monotonic()
    object_id = client.put(sent, name=name, persist=True)
    try:
        equal = bool(np.array_equal(client.get(name=name), sent))
        spent = time.monotonic() - began
    finally:
        client.drop_name(name)
        client.delete(object_id, force=True, deep=True)
    shared = client.has_ipc_client()
    found = {
        "instance": f"{client.instance_id}",
        "transport": "ipc" if shared else "rpc",
        "equal": equal,
        "round_trip_s": spent,
        "used_bytes": vineyard_client.used_bytes(client),
        "limit_bytes": int(client.status.memory_limit),
    }
    print(json.dumps({"round_trip": found}), flush=True)
    if not shared:
        print("there is no socket of a Vineyard worker on this node: objects go over the network", file=sys.stderr)
    return 0 if shared and equal else 1


if __name__ == "__main__":
    sys.exit(main())
