"""The configuration of the kind cluster: ours, and what the user adds to it."""

from typing import Any

import yaml

from fluidbench.errors import UsageProblem
from fluidbench.render import kind_config
from fluidbench.targets.cluster.bringup.options import UpOptions


def merged_config(options: UpOptions, workers: int) -> str:
    """The configuration as YAML. A patch's maps are merged, its lists appended; its nodes change ours one by one."""
    rendered = kind_config(options.name, workers, options.data_dir, options.node_image)
    if options.kind_config_patch is None:
        return rendered
    patch = _read(options)
    ours = yaml.safe_load(rendered)
    nodes = _nodes(ours["nodes"], patch.pop("nodes", None) or [])
    return str(yaml.safe_dump({**_merged(ours, patch), "nodes": nodes}, sort_keys=False))


def _read(options: UpOptions) -> dict[str, Any]:
    file = options.kind_config_patch
    assert file is not None
    try:
        patch = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise UsageProblem(
            f"{file} cannot be read as YAML: {error}", "Write it as a part of a kind Cluster."
        ) from error
    if not isinstance(patch, dict):
        raise UsageProblem(f"{file} is not a map", "Write it as a part of a kind Cluster: kubeadmConfigPatches: [...]")
    return {key: value for key, value in patch.items() if key not in ("kind", "apiVersion", "name")}


def _nodes(ours: list[Any], patches: list[Any]) -> list[Any]:
    changed = [_merged(node, patch) for node, patch in zip(ours, patches, strict=False)]
    if len(patches) > len(ours):
        raise UsageProblem(
            f"the patch has {len(patches)} nodes, the cluster {len(ours)}", "Say how many workers: --workers N"
        )
    return changed + ours[len(changed) :]


def _merged(ours: Any, patch: Any) -> Any:
    if isinstance(ours, dict) and isinstance(patch, dict):
        return {**ours, **{key: _merged(ours[key], value) if key in ours else value for key, value in patch.items()}}
    if isinstance(ours, list) and isinstance(patch, list):
        return ours + patch
    return patch
