"""The control groups that this process is in."""

from pathlib import Path

CGROUP_ROOT = Path("/sys/fs/cgroup")


def groups(controller: str, proc: Path = Path("/proc"), cgroup_root: Path = CGROUP_ROOT) -> list[Path]:
    """The groups of a controller above this process, v2 and v1, innermost first."""
    try:
        lines = (proc / "self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "" or controller in controllers.split(","):
            base = cgroup_root / controllers
            inner = base / path.lstrip("/")
            # a container sees its own group as the root, whatever path the host knows it by
            found += [group for group in (inner, *inner.parents) if group.is_relative_to(base) and group.is_dir()]
    return found
