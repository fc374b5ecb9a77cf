"""Which process made an object of the cluster: what a later command may clear up is told by it."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fluidbench.machine.owners import Owner, this_process
from fluidbench.render.template import Manifest

OWNER = "fluidbench/owner"


def signed(manifest: Mapping[str, Any], **notes: str) -> Manifest:
    """The manifest with an annotation of this process, and `notes` under names of ours."""
    told = {OWNER: json.dumps({"host": platform.node(), **asdict(this_process())})}
    told |= {f"fluidbench/{name.replace('_', '-')}": value for name, value in notes.items()}
    metadata = manifest["metadata"]
    return {**manifest, "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), **told}}}


def note(item: Mapping[str, Any], name: str) -> str:
    """What `signed` noted under the name; empty where it did not."""
    annotations: Mapping[str, str] = item["metadata"].get("annotations") or {}
    return annotations.get(f"fluidbench/{name.replace('_', '-')}", "")


def abandoned(item: Mapping[str, Any]) -> bool:
    """Whether a process of this machine made the object and is gone, or this one did, before what it does now.

    Of other machines nothing can be said.
    """
    if not (told := note(item, "owner")):
        return False
    signature = json.loads(told)
    owner = Owner(signature["pid"], signature["started_at"])
    return bool(signature["host"] == platform.node() and (owner.pid == os.getpid() or not owner.alive()))
