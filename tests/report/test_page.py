"""The page of `compare --html` in a real browser: it stands for itself, and shows what is in the JSON."""

import dataclasses
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from fluidbench.analysis import analyse
from fluidbench.comparison import compare
from fluidbench.records import Fingerprint
from fluidbench.report import envelope, page
from fluidbench.report.numbers import UNITS
from support import browser as browsers
from support.recorded import experiment

STORES = ("pickle", "parquet", "vineyard")
HOSTILE = "</script><script>window.struck = 1</script><b title='\"&"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    yield from browsers.launched()


def told(stores: tuple[str, ...] = STORES, rounds: int = 6, **changes: Any) -> dict[str, Any]:
    """The JSON of a recorded experiment."""
    runs = [dataclasses.replace(run, **changes) for run in experiment(stores, rounds)]
    comparison = compare(runs, stores, runs[-1])
    shown: dict[str, Any] = json.loads(json.dumps(envelope.comparison(comparison, analyse(comparison, runs, 300e6))))
    return shown


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    return told()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, shown: dict[str, Any]) -> Path:
    return written(tmp_path_factory.mktemp("page"), shown)


def written(directory: Path, shown: dict[str, Any]) -> Path:
    path = directory / "report.html"
    path.write_text(page.html(shown, "Multiplier 500."), encoding="utf-8")
    return path


def at(shown: Any, pointer: str) -> Any:
    for key in pointer.split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        shown = shown[int(key) if isinstance(shown, list) else key]
    return shown


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_loads_without_an_error_or_a_request_and_nothing_hangs_over(browser, file, width, scheme) -> None:
    with browsers.opened(browser, file, width, scheme) as (opened, heard):
        assert heard == []
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
        assert opened.evaluate("document.body.innerText.trim().length") > 1000


def test_the_charts_are_there_and_are_drawn(browser, file) -> None:
    names = ["timeline", "memory", *(f"{kind}-{arm}" for kind in ("bridge", "rounds", "what-if") for arm in (0, 1))]
    with browsers.opened(browser, file) as (opened, _):
        for name in names:
            box = opened.locator(f"svg#{name}").bounding_box()
            assert box, name
            assert box["width"] > 300, name
            assert box["height"] > 100, name
        assert opened.locator("svg#rounds-0 circle.point").count() == 6
        assert opened.locator("svg#timeline rect.exchange").count() > 9
        assert opened.locator("svg#what-if-1 circle.asked").count() == 2


def test_every_number_is_the_one_in_the_json(browser, file, shown) -> None:
    with browsers.opened(browser, file) as (opened, _):
        numbers = opened.eval_on_selector_all(
            "[data-json]", "all => all.map(e => [e.tagName, {...e.dataset}, e.textContent])"
        )
        embedded = json.loads(opened.locator("#fluidbench-json").text_content())
        bare = opened.eval_on_selector_all(
            "table.numbers td:not(.word)", "all => all.filter(e => !e.querySelector('data')).map(e => e.textContent)"
        )
    assert embedded == shown
    assert len(numbers) > 300
    assert set(bare) <= {"", "–"}
    for tag, data, words in numbers:
        value = at(shown, data["json"])
        assert float(data["value"]) == value, data
        if tag in ("DATA", "text") and data["unit"] in UNITS:
            assert UNITS[data["unit"]](value) in words


def test_the_sentences_are_those_of_the_json(browser, file, shown) -> None:
    with browsers.opened(browser, file) as (opened, _):
        assert opened.locator(".headline").all_text_contents() == shown["headline"]


@pytest.mark.parametrize("width", [360, 1280])
def test_the_words_of_a_chart_are_legible_and_neither_leave_it_nor_lie_on_each_other(browser, file, width) -> None:
    with browsers.opened(browser, file, width) as (opened, _):
        assert opened.evaluate(browsers.MISPLACED_WORDS) == []


@pytest.mark.parametrize("chart", ["timeline", "memory", "bridge-0", "bridge-1"])
def test_bars_are_as_long_as_what_they_stand_for(browser, file, chart: str) -> None:
    with browsers.opened(browser, file) as (opened, _):
        bars = opened.eval_on_selector_all(
            f"svg#{chart} rect.bar", "all => all.map(e => [Number(e.dataset.value), e.width.baseVal.value])"
        )
    longest = max(bars)
    for value, width in bars:
        assert width == pytest.approx(abs(value) / longest[0] * longest[1], abs=0.6)


def test_the_steps_of_an_arm_follow_each_other_and_end_with_its_total(browser, file, shown) -> None:
    with browsers.opened(browser, file) as (opened, _):
        bars = opened.eval_on_selector_all(
            "svg#timeline rect.bar",
            "all => all.map(e => [e.dataset.json, e.x.baseVal.value, e.x.baseVal.value + e.width.baseVal.value])",
        )
    for place in range(len(STORES)):
        own = [(left, right) for pointer, left, right in bars if pointer.startswith(f"/analysis/profiles/{place}/")]
        for (_, ended), (began, _) in itertools.pairwise(own):
            assert began == pytest.approx(ended, abs=0.6)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_told_from_what_is_behind_it(browser, file, scheme: str) -> None:
    with browsers.opened(browser, file, scheme=scheme) as (opened, _):
        contrasts = opened.evaluate(browsers.CONTRASTS)
    assert len(contrasts) > 300
    assert [entry for entry in contrasts if entry[1] < 4.5] == []


def test_the_dark_page_is_dark(browser, file) -> None:
    colours = []
    for scheme in ("light", "dark"):
        with browsers.opened(browser, file, scheme=scheme) as (opened, _):
            colours.append(opened.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(255, 255, 255)", "rgb(17, 22, 28)"]


def test_a_screen_reader_finds_names_captions_and_order(browser, file) -> None:
    with browsers.opened(browser, file) as (opened, _):
        assert opened.evaluate(browsers.FAULTS) == []


def test_the_keyboard_reaches_the_result_first_and_every_wide_table(browser, file) -> None:
    with browsers.opened(browser, file, width=360) as (opened, _):
        opened.keyboard.press("Tab")
        assert opened.evaluate("document.activeElement.className") == "skip"
        opened.keyboard.press("Enter")
        assert opened.evaluate("document.activeElement.id") == "main"
        wide = opened.locator(".scroll:has(#times)")
        wide.focus()
        opened.keyboard.press("ArrowRight")
        opened.wait_for_function("document.querySelector('.scroll:has(#times)').scrollLeft > 0")


def test_it_prints_within_the_paper_and_light(browser, file) -> None:
    with browsers.opened(browser, file, width=700, scheme="dark") as (opened, _):
        opened.emulate_media(media="print")
        assert opened.evaluate("document.documentElement.scrollWidth") <= 700
        assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert opened.pdf(format="A4").startswith(b"%PDF")


def test_names_and_facts_that_look_like_markup_stay_text(browser, tmp_path: Path) -> None:
    hostile = told(("pickle", HOSTILE), fingerprint=Fingerprint({HOSTILE: HOSTILE}, HOSTILE))
    with browsers.opened(browser, written(tmp_path, hostile)) as (opened, heard):
        assert heard == []
        assert opened.evaluate("window.struck") is None
        assert HOSTILE in opened.locator("#facts").inner_text()
        assert json.loads(opened.locator("#fluidbench-json").text_content()) == hostile
        assert opened.evaluate("document.querySelectorAll('script').length") == 1


@pytest.mark.parametrize("rounds", [1, 2, 40])
def test_few_and_many_rounds_make_a_page_too(browser, tmp_path: Path, rounds: int) -> None:
    with browsers.opened(browser, written(tmp_path, told(("pickle", "vineyard"), rounds))) as (opened, heard):
        assert heard == []
        assert opened.locator("svg#rounds-0 circle.point").count() == rounds
        assert ("too few rounds for an interval" in opened.locator("main").inner_text()) == (rounds < 3)


def test_runs_that_did_not_compute_the_same_are_an_alarm(browser, tmp_path: Path) -> None:
    differing = told(("pickle", "vineyard")) | {"equivalent": False, "differences": ["mse of run a is not that of b"]}
    with browsers.opened(browser, written(tmp_path, differing)) as (opened, _):
        assert "mse of run a" in opened.locator("[role=alert]").inner_text()
