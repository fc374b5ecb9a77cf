"""The tables of the page: every number in them comes from the JSON, and says from where."""

from collections.abc import Sequence
from dataclasses import dataclass

from fluidbench.analysis import PARTS
from fluidbench.report.breakdown import PART_NAMES
from fluidbench.report.charts.curve import KINDS
from fluidbench.report.numbers import NOTHING, Number, Source

Cell = str | Number


@dataclass(frozen=True)
class PageRow:
    """One line: its head, how deep it is set in, whether it is a sum, and its cells."""

    head: str
    cells: Sequence[Cell]
    depth: int = 0
    strong: bool = False


@dataclass(frozen=True)
class PageTable:
    """`numbers`: the cells are set flush right."""

    name: str
    caption: str
    headers: Sequence[str]
    rows: Sequence[PageRow]
    numbers: bool = True


def times(source: Source) -> PageTable:
    """Steps and phases of all arms, with ratio, interval and saving."""
    arms, places = source.at("arms"), _scopes(source)
    others = [arm["store"] for arm in arms if arm["store"] != source.at("baseline")]
    headers = [arm["label"] for arm in arms] + [
        f"{word}{f' ({other})' if len(others) > 1 else ''}"
        for other in others
        for word in ("ratio", "interval, 95 %", "saved")
    ]

    def row(head: str, scope: str, cells: list[Cell], depth: int = 0, strong: bool = False) -> PageRow:
        judged = [cell for other in others for cell in _judged(source, places.get((other, scope)))]
        return PageRow(head, [*cells, *judged], depth, strong)

    rows = []
    for number, step in enumerate(arms[0]["steps"]):
        own = [source.sure("s", "arms", place, "steps", number, "median_s") for place in range(len(arms))]
        rows.append(row(step["name"], f"step:{step['name']}", list(own), strong=True))
        for phase in dict.fromkeys(phase for arm in arms for phase in arm["steps"][number]["phases"]):
            cells = [_phase(source, place, number, phase) for place in range(len(arms))]
            rows.append(row(phase, f"step:{step['name']}/phase:{phase}", cells, depth=1))
    around = [source.shown("s", "arms", place, "unaccounted_s") for place in range(len(arms))]
    rows.append(row("around the steps", "unaccounted", around))
    total = [source.shown("s", "arms", place, "median_s") for place in range(len(arms))]
    rows.append(row("total", "total", total, strong=True))
    return PageTable("times", "Medians over the rounds; ratio above 1: faster than the first store", headers, rows)


def _scopes(source: Source) -> dict[tuple[str, str], int]:
    return {(entry["arm"], entry["scope"]): place for place, entry in enumerate(source.at("comparisons"))}


def _phase(source: Source, place: int, number: int, phase: str) -> Cell:
    path = ("arms", place, "steps", number, "phases")
    return source.shown("s", *path, phase) if phase in source.at(*path) else NOTHING


def _judged(source: Source, place: int | None) -> list[Cell]:
    if place is None:
        return [NOTHING] * 3
    path = ("comparisons", place)
    return [source.shown("x", *path, "ratio"), *_interval(source, place), source.shown("signed_s", *path, "saving_s")]


@dataclass(frozen=True)
class Interval:
    """Two numbers in one cell."""

    low: Number
    high: Number

    def __html__(self) -> str:
        return f"{self.low.__html__()} to {self.high.__html__()}"


def _interval(source: Source, place: int) -> list[Cell]:
    if source.at("comparisons", place, "interval") is None:
        return [NOTHING]
    ends = (source.sure("ratio", "comparisons", place, "interval", end) for end in (0, 1))
    return [Interval(*ends)]  # type: ignore[list-item]  # it is shown as a number is


def parts(source: Source) -> PageTable:
    """The split of the time, and of the saving."""
    profiles, savings = source.at("analysis", "profiles"), source.at("analysis", "savings")
    rows = []
    for part in PARTS:
        if part == "other" and not any(profile["parts"][part] for profile in profiles):
            continue
        cells: list[Cell] = [
            source.sure("s", "analysis", "profiles", place, "parts", part) for place in range(len(profiles))
        ]
        saved = [source.sure("signed_s", "analysis", "savings", place, "parts", part) for place in range(len(savings))]
        rows.append(PageRow(PART_NAMES.get(part, part), [*cells, *saved]))
    whole = [source.shown("s", "analysis", "profiles", place, "mean_s") for place in range(len(profiles))]
    saved = [source.sure("signed_s", "analysis", "savings", place, "saving_s") for place in range(len(savings))]
    rows.append(PageRow("total", [*whole, *saved], strong=True))
    other = [source.sure("signed_s", "analysis", "savings", place, "elsewhere_s") for place in range(len(savings))]
    rows.append(PageRow("saved elsewhere than in exchange", [*[NOTHING] * len(profiles), *other]))
    headers = [one["arm"] for one in profiles] + [f"saved by {one['arm']}" for one in savings]
    return PageTable("parts", "Means over the rounds, which add up", headers, rows)


def rounds(source: Source) -> PageTable:
    """The raw times of each round."""
    arms = [profile["arm"] for profile in source.at("analysis", "profiles")]
    headers = ["experiment", "order", *arms, *(f"ratio {arm}" for arm in arms[1:]), "files", "runs"]
    rows = []
    for place, one in enumerate(source.at("analysis", "rounds")):
        path = ("analysis", "rounds", place)
        seconds = [source.sure("s", *path, "durations_s", arm) for arm in arms]
        ratios = [source.shown("x", *path, "ratios", arm) for arm in arms[1:]]
        caches, runs = ", ".join(dict.fromkeys(one["caches"].values())), ", ".join(one["runs"].values())
        cells = [one["experiment_id"], ", ".join(one["runs"]), *seconds, *ratios, caches, runs]
        rows.append(PageRow(f"round {place + 1}", cells))
    return PageTable("rounds", "Each round as it was measured, in the order of its runs", headers, rows)


def memory(source: Source) -> PageTable:
    """What each store holds, and for how long."""
    arms, profiles = source.at("arms"), source.at("analysis", "profiles")
    many = range(len(arms))
    steps = [
        PageRow(
            f"{step['name']}, peak {kind}",
            [source.sure("bytes", "arms", place, "steps", number, f"peak_{kind}_bytes") for place in many],
        )
        for number, step in enumerate(arms[0]["steps"])
        for kind in ("private", "shared")
    ]
    held = [source.sure("bytes", "arms", place, "shared_memory_bytes") for place in many]
    held_long = [
        source.sure("byte_s", "analysis", "profiles", place, "shared_memory_byte_s") for place in range(len(profiles))
    ]
    rows = [*steps, PageRow("shared memory held", held), PageRow("shared memory held, times the run", held_long)]
    return PageTable("memory-table", "Memory: the largest over the rounds", [arm["label"] for arm in arms], rows)


def what_if(source: Source, place: int) -> PageTable:
    """The model at each bandwidth of the curve, and at the one that was asked for."""
    path = ("analysis", "what_if", place)
    asked = [(*path, "asked")] if source.at(*path, "asked") else []
    points = [*asked, *((*path, "curve", point) for point in range(len(source.at(*path, "curve"))))]
    rows = []
    for point in points:
        bandwidth = source.sure("bandwidth", *point, "bandwidth_bytes_per_s")
        cells: list[Cell] = [bandwidth]
        for kind in KINDS:
            cells += [source.sure("x", *point, kind, "ratio"), source.sure("signed_s", *point, kind, "saving_s")]
        rows.append(PageRow("asked" if point[-1] == "asked" else "", cells, strong=point[-1] == "asked"))
    headers = ["bandwidth", *(f"{word}, {words}" for words in KINDS.values() for word in ("ratio", "saved"))]
    arm = source.at(*path, "arm")
    return PageTable(f"what-if-table-{place}", f"A model, not a measurement: {arm} on other storages", headers, rows)


def machines(source: Source) -> PageTable | None:
    """What the rounds of each machine say for themselves; None where there is but one."""
    found, arms = source.at("analysis", "machines"), source.at("arms")
    if len(found) < 2:
        return None
    stores = [arm["store"] for arm in arms]
    rows = []
    for place, machine in enumerate(found):
        path = ("analysis", "machines", place)
        times = [source.sure("s", *path, "median_s", store) for store in stores]
        ratios = [
            source.shown("x", *path, "comparisons", number, "ratio") for number in range(len(machine["comparisons"]))
        ]
        rows.append(PageRow(machine["hash"], [source.sure("count", *path, "rounds"), *times, *ratios]))
    headers = ["rounds", *stores, *(f"ratio {store}" for store in stores[1:])]
    return PageTable("machines", "Machines side by side: medians of the rounds of each", headers, rows)


def facts(source: Source) -> PageTable:
    """The fingerprints, a machine a column."""
    machines = source.at("analysis", "machines")
    names = dict.fromkeys(name for machine in machines for name in machine["facts"])
    rows = [PageRow(name, [machine["facts"].get(name, NOTHING) for machine in machines]) for name in names]
    return PageTable("facts", "The machine, as its fingerprint has it", [one["hash"] for one in machines], rows, False)
