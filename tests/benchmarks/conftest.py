"""How a figure is shown."""

import json
from collections.abc import Callable

import pytest


@pytest.fixture
def figure(capfd: pytest.CaptureFixture[str]) -> Callable[[str, float, str, str], None]:
    def show(name: str, value: float, unit: str, goal: str) -> None:
        with capfd.disabled():
            print(json.dumps({"name": name, "value": round(value, 6), "unit": unit, "goal": goal}), flush=True)

    return show
