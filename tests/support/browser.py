"""A real browser, and checks of a page by hand: what a tool for accessibility would look at first."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
# no sandbox where the tests run as root; nothing that looks for its maker
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def launched() -> Iterator[Browser]:
    """For a fixture: the browser that is installed; a skip with the reason where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, path: Path, width: int = 1280, scheme: str = "light") -> Iterator[tuple[Page, list[str]]]:
    """The page of a file, and everything that it complained of or asked for beside itself."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: heard.append(f"error: {error}"))
    page.on("request", lambda request: heard.append(f"request: {request.url}"))
    page.goto(path.as_uri())
    heard.remove(f"request: {path.as_uri()}")
    yield page, heard
    context.close()


# every text with its colour, and the first opaque background below it; in a chart, the bar that it stands in
CONTRASTS = """() => {
  const parsed = (colour) => {
    const found = colour.match(/[\\d.]+/g).map(Number);
    return found.length > 3 && found[3] === 0 ? null : found.slice(0, 3);
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const below = (element) => {
    if (element.classList.contains("inside")) return parsed(getComputedStyle(element.previousElementSibling).fill);
    for (let up = element; up; up = up.parentElement) {
      const found = parsed(getComputedStyle(up).backgroundColor);
      if (found) return found;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll("body *")].filter((element) =>
    !["SCRIPT", "STYLE", "title", "desc"].includes(element.tagName) &&
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
  return texts.map((element) => {
    const style = getComputedStyle(element);
    const [one, other] = [parsed(element instanceof SVGElement ? style.fill : style.color), below(element)].map(light);
    return [element.textContent.trim().slice(0, 40), (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)];
  });
}"""

# what is wrong, in words; nothing is good
FAULTS = """() => {
  const faults = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const ids = all("[id]").map((element) => element.id);
  ids.filter((id, place) => ids.indexOf(id) !== place).forEach((id) => faults.push(`the id ${id} twice`));
  for (const name of ["aria-labelledby", "aria-describedby"])
    all(`[${name}]`).forEach((element) => element.getAttribute(name).split(" ").forEach((id) => {
      const named = document.getElementById(id);
      if (!named || !named.textContent.trim()) faults.push(`${name} of ${element.id || element.tagName}: ${id}`);
    }));
  all("a[href^='#']").forEach((link) => {
    if (!document.getElementById(link.hash.slice(1))) faults.push(`a link to ${link.hash}`);
  });
  if (!document.documentElement.lang) faults.push("no language");
  if (!document.title.trim()) faults.push("no title");
  if (all("h1").length !== 1 || all("main").length !== 1) faults.push("not one h1 and one main");
  let level = 0;
  all("h1, h2, h3, h4").forEach((heading) => {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) faults.push(`${heading.textContent} skips a level`);
    level = own;
  });
  all("svg").forEach((chart) => {
    if (chart.getAttribute("role") !== "img" || !chart.hasAttribute("aria-labelledby")) faults.push(chart.id);
  });
  all("table").forEach((table) => {
    if (!table.caption?.textContent.trim()) faults.push(`${table.id} has no caption`);
    if (table.querySelector("th:not([scope])")) faults.push(`${table.id} has a head without a scope`);
  });
  all(".scroll").forEach((region) => {
    if (region.tabIndex !== 0 || !region.hasAttribute("aria-labelledby")) faults.push("a region out of reach");
  });
  all("dl > div").forEach((group) => {
    if (!group.querySelector("dt") || !group.querySelector("dd")) faults.push("half a term");
  });
  return faults;
}"""

# words of charts that are too small, leave the chart, or cover other words of it
MISPLACED_WORDS = """() => {
  const faults = [];
  for (const chart of document.querySelectorAll(".chart svg")) {
    const whole = chart.getBoundingClientRect();
    const seen = [...chart.querySelectorAll("text")].filter((text) => getComputedStyle(text).display !== "none");
    const boxes = seen.map((text) => [text.textContent, text.getBoundingClientRect(), parseFloat(
      getComputedStyle(text).fontSize) * whole.width / chart.viewBox.baseVal.width]);
    if (whole.left < 0 || whole.right > innerWidth) faults.push(`${chart.id} is cut off`);
    boxes.forEach(([words, box, size], place) => {
      if (size < 7.5) faults.push(`${chart.id}: ${words} is ${size} px high`);
      if (box.left < whole.left - 1 || box.right > whole.right + 1 || box.bottom > whole.bottom + 1)
        faults.push(`${chart.id}: ${words} leaves it`);
      for (const [others, other] of boxes.slice(place + 1)) {
        const across = Math.min(box.right, other.right) - Math.max(box.left, other.left);
        const down = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
        // a line of text is higher than its letters
        if (across > 1 && down > 0.35 * Math.min(box.height, other.height))
          faults.push(`${chart.id}: ${words} lies on ${others}`);
      }
    });
  }
  return faults;
}"""
