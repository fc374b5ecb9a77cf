"""What `pipeline.toml` may say, and the plan that it makes."""

from dataclasses import replace
from pathlib import Path

import pytest

from fluidbench import own_steps
from fluidbench.errors import UsageProblem
from fluidbench.needs import DISK_RESERVE_BYTES, needs
from fluidbench.plan import IMPORTS_BYTES, Handover, Plan
from fluidbench.runner import code_version
from fluidbench.stores import STORES, open_store
from support.own_steps import DESCRIBED, write

MEMORY = '\nmemory = 1_000_000\nfixed_memory = 5_000_000\nsaves = ["rows"]\n'


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return write(tmp_path / "meine Schritte 中文")


def described(place: Path, old: str, new: str) -> Path:
    assert old in DESCRIBED
    (place / own_steps.FILE).write_text(DESCRIBED.replace(old, new, 1), encoding="utf-8")
    return place


def test_a_step_runs_after_those_that_save_what_it_loads(place: Path) -> None:
    pipeline = own_steps.read(place)
    assert [(step.name, step.needs) for step in pipeline.steps] == [("make-rows", ()), ("sum-up", ("make-rows",))]
    assert [step.saves for step in pipeline.steps] == [("rows",), ()]
    assert [Path(step.script) for step in pipeline.steps] == [place / "make_rows.py", place / "sum_up.py"]


def test_the_name_cannot_be_taken_for_one_of_fluidbench_s(place: Path) -> None:
    assert own_steps.read(described(place, '"squares"', '"published"')).name == "own:published"


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ('name = "squares"', 'nmae = "squares"', "unknown field `nmae`", ""),
        ('name = "squares"', "", "missing required field `name`", ""),
        ('"squares"', '"Squares!"', "`name`", "matching regex"),
        ('"sum_up.py"', '"no_such.py"', "steps.script", "there is no file no_such.py (step sum-up)"),
        ('"sum_up.py"', '"../sum_up.py"', "`steps[0].script`", "matching regex"),
        ('"sum_up.py"', '"sum_up.py"\nneed = ["make-rows"]', "`steps[0]`", "unknown field `need`"),
        ('"sum-up"', '"make-rows"', "steps.name", "make-rows is there twice"),
        ('"sum-up"', '"vineyardd"', "steps.name", "a name that FluidBench uses"),
        ("rows = 200_000", '"my rows" = 200_000', "`key` in `tables`", "matching regex"),
        ("rows = 200_000", "rows = 200_000\nmodel = 1", "tables", "a name that FluidBench uses"),
        ("rows = 200_000", "rows = 200_000\nRows = 1", "tables", "the table rows is there twice"),
        ("rows = 200_000", "rows = 200_000\nothers = 1", "tables.others", "no step saves it"),
        ("rows = 200_000", "rows = 0", "`tables[...]`", ">= 1"),
        ("rows = 200_000", "rows = true", "`tables[...]`", "Expected `int`"),
        ("rows = 200_000", "", "`tables`", "length >= 1"),
        ('loads = ["rows"]', 'loads = ["row"]', "steps.loads of sum-up", "no table in [tables] 'row'"),
        ('loads = ["rows"]', 'needs = ["make"]', "steps.needs of sum-up", "no step 'make'"),
        ('loads = ["rows"]', 'saves = ["rows"]', "steps.saves", "the table rows is there twice"),
        ('loads = ["rows"]', "memory = -1", "`steps[0].memory`", ">= 0"),
        ('saves = ["rows"]', 'saves = ["rows"]\nneeds = ["sum-up"]', "steps.needs", "a cycle"),
        ("[tables]", "[tables", "line", ""),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(place: Path, old: str, new: str, key: str, said: str) -> None:
    described(place, old, new)
    with pytest.raises(UsageProblem) as caught:
        own_steps.read(place)
    assert caught.value.message.startswith(f"{place / 'pipeline.toml'}: ")
    assert key in caught.value.message
    assert said in caught.value.message
    assert caught.value.exit_code == 2


def test_a_pipeline_without_steps_is_none(place: Path) -> None:
    (place / own_steps.FILE).write_text('name = "a"\nsteps = []\n[tables]\nrows = 1\n', encoding="utf-8")
    with pytest.raises(UsageProblem, match="`steps`"):
        own_steps.read(place)


def test_a_directory_that_describes_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"pipeline\.toml cannot be read: No such file"):
        own_steps.read(tmp_path)


@pytest.mark.parametrize("name", ["frames.py", "stores/__init__.py", "contract.py"])
def test_a_module_that_would_hide_one_of_the_contract_s_is_refused(place: Path, name: str) -> None:
    (place / "storage").mkdir()  # no module
    own_steps.read(place)
    (place / name).parent.mkdir(exist_ok=True)
    (place / name).touch()
    with pytest.raises(UsageProblem, match=f"{Path(name).parts[0]} beside it hides a module of FluidBench's own"):
        own_steps.read(place)


def test_steps_may_be_called_as_the_published_ones(place: Path) -> None:
    (place / "train_data.py").write_bytes((place / "sum_up.py").read_bytes())
    assert own_steps.read(described(place, '"sum_up.py"', '"train_data.py"')).steps[1].name == "sum-up"


def test_the_tables_decide_what_is_exchanged_and_there_is_no_dataset(place: Path) -> None:
    plan = Plan("pickle", 30, pipeline=own_steps.read(place))
    assert plan.exchange_bytes == pytest.approx(6_000_000, abs=2)
    tables = open_store("pickle").footprint(plan.exchange_bytes).disk_bytes
    assert needs(plan).disk_bytes == tables + DISK_RESERVE_BYTES
    reading = own_steps.read(described(place, "\n[tables]", "reads_dataset = true\n[tables]"))
    assert needs(replace(plan, pipeline=reading)).disk_bytes == needs(plan).disk_bytes + 30 * 3_680_000


@pytest.mark.parametrize(
    ("handover", "loads_and_works", "saves"),
    [
        (Handover(), 1_200_000, 1_200_000),
        (Handover(zero_copy=True), 1_000_000, 1_200_000),
        (Handover(load_copies=7.0), 1_400_000, 1_200_000),
        (Handover(save_bytes=9_000_000), 1_200_000, 2_100_000),
    ],
)
def test_a_step_takes_what_it_says_and_what_the_store_costs(
    place: Path, handover: Handover, loads_and_works: int, saves: int
) -> None:
    memory = MEMORY.replace('saves = ["rows"]', "")
    text = DESCRIBED.replace('saves = ["rows"]', MEMORY).replace('loads = ["rows"]', 'loads = ["rows"]' + memory)
    (place / own_steps.FILE).write_text(text, encoding="utf-8")
    make, sum_up = own_steps.read(place).steps
    fixed = IMPORTS_BYTES + 5_000_000
    for step, each in ((make, saves), (sum_up, loads_and_works)):
        assert step.private_bytes(36_800_000, handover) == pytest.approx(fixed + 10 * each, abs=2)


@pytest.mark.parametrize("store", STORES)
def test_what_a_run_needs_grows_with_the_multiplier_through_every_store(place: Path, store: str) -> None:
    pipeline = own_steps.read(place)
    small, large = (Plan(store, multiplier, pipeline=pipeline) for multiplier in (1, 1000))
    takes = [plan.private_bytes(open_store(store).footprint(plan.exchange_bytes)) for plan in (small, large)]
    assert takes[1] - takes[0] >= 999 * 200_000 - 2


def test_any_file_of_the_directory_is_code_but_what_programs_put_there(place: Path) -> None:
    def version() -> str:
        return code_version("pickle", own_steps=place)

    before = version()
    assert before != code_version("pickle")
    for name in ("__pycache__/sum_up.pyc", ".git/HEAD", ".swp"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text("no code")
    assert version() == before
    (place / "words.txt").write_text("one")
    assert version() != before
