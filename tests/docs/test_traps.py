"""docs/traps.md names a test for each trap: the tests exist, and no row is without one."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "traps.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("|") and not line.startswith(("|--", "| trap |"))
]
DEFINED = {
    name
    for path in ROOT.glob("tests/**/test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}


def test_every_trap_has_a_test_that_exists() -> None:
    named = [(trap, re.findall(r"`(test_\w+)`", tests)) for trap, tests in ROWS]
    assert len(named) > 50
    assert [trap for trap, tests in named if not tests or not set(tests) <= DEFINED] == []


def test_no_trap_is_told_twice() -> None:
    traps = [trap for trap, _ in ROWS]
    assert len(traps) == len(set(traps))
