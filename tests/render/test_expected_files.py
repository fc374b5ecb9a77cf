"""What is rendered is what was looked at and committed. After a change on purpose: `make expected-manifests`."""

import pytest
from render.cases import EXPECTED, texts

TEXTS = texts()


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_rendered_is_what_was_committed(name: str) -> None:
    expected = (EXPECTED / f"{name}.yaml").read_text(encoding="utf-8")
    assert TEXTS[name] == expected, "changed on purpose? make expected-manifests, and read the difference"


def test_there_is_no_expected_file_that_nothing_makes() -> None:
    assert {path.stem for path in EXPECTED.glob("*.yaml")} == set(TEXTS)
