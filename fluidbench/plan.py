"""What is to be run: the pipelines, and the plan of one run. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fluidbench.records import Storage

# of docs/reference/step-contract.md; steps/contract.py has its own, and refuses another
STEP_CONTRACT_VERSION = 1
ROWS_PER_MULTIPLIER = 10_000
COLUMNS = 46
ROW_BYTES = COLUMNS * 8
# the libraries' own data, before any of ours
IMPORTS_BYTES = 84_000_000
# 4201 of the 4401 values of GrLivArea (600 to 5000) pass the filter
KEPT = 4201 / 4401
# the shares of X_train, X_test, and of one column of each (y, or an index) in the dataset
TRAIN, TEST = 0.8 * KEPT * (COLUMNS - 1) / COLUMNS, 0.2 * KEPT * (COLUMNS - 1) / COLUMNS
TRAIN_COLUMN, TEST_COLUMN = 0.8 * KEPT / COLUMNS, 0.2 * KEPT / COLUMNS


@dataclass(frozen=True)
class Handover:
    """What the way in which a store hands tables over costs a step in private memory.

    `zero_copy`: a load takes none. Else `load_copies` is the most that a load holds of what it reads, in tables: 2
    where the bytes that were read and the table they become are there at once. `load_bytes` and `save_bytes` are what
    reading and writing hold beside that, whatever its size. `in_columns`: a table arrives in a block a column, and who
    wants one array copies it. `in_place`: rows can be gathered straight to where the store keeps them. `client_bytes`
    is what importing and connecting take.
    """

    zero_copy: bool = False
    load_copies: float = 1.0
    load_bytes: int = 0
    save_bytes: int = 0
    in_columns: bool = False
    in_place: bool = False
    client_bytes: int = 0


# what no store exceeds
COSTLIEST = Handover(
    load_copies=2.2, load_bytes=30_000_000, save_bytes=60_000_000, in_columns=True, client_bytes=25_000_000
)


@dataclass(frozen=True)
class StepPlan:
    """One step: its script, the steps it needs, and its private memory, in multiples of the dataset.

    `work_tables` is the peak of what it allocates to work, `input_tables` what it is handed over, `gathered_tables`
    what it copies where that comes in columns, `output_tables` what it holds to hand over. `fixed_bytes` does not
    grow. Each is counted from the code; docs/measurement.md shows it beside what was measured. A user's own step has
    the whole path of its script, and says what it saves.
    """

    name: str
    script: str
    needs: tuple[str, ...]
    work_tables: float
    input_tables: float = 0.0
    gathered_tables: float = 0.0
    output_tables: float = 0.0
    gathers_outputs: bool = False
    fixed_bytes: int = 0
    takes_multiplier: bool = False
    arguments: tuple[str, ...] = ()
    saves: tuple[str, ...] | None = None

    def private_bytes(self, dataset_bytes: int, handover: Handover) -> int:
        """The step's peak: while it loads, works, or saves."""
        inputs = 0.0 if handover.zero_copy else self.input_tables
        gathered = self.gathered_tables if handover.in_columns else 0.0
        working = inputs + gathered + self.work_tables
        saved = self.output_tables
        if self.gathers_outputs:
            working += 0.0 if handover.in_place else saved
            saved = working
        saving = saved * dataset_bytes + (handover.save_bytes if self.output_tables else 0)
        own = IMPORTS_BYTES + handover.client_bytes + self.fixed_bytes
        loading = inputs * handover.load_copies * dataset_bytes + (handover.load_bytes if inputs else 0)
        return own + int(max(loading, working * dataset_bytes, saving))


TABLES = ("X_train", "X_test", "y_train", "y_test")
# X and y carry an index each
EXCHANGE_TABLES = KEPT * (COLUMNS + 2) / COLUMNS


@dataclass(frozen=True)
class Pipeline:
    """Steps, and the names and the size, in multiples of the dataset, of the tables that they hand over.

    `directory` is where a user's own steps lie; None: they are those of FluidBench.
    """

    name: str
    steps: tuple[StepPlan, ...]
    hands_over: bool = True
    tables: tuple[str, ...] = TABLES
    exchange_tables: float = EXCHANGE_TABLES
    reads_dataset: bool = True
    directory: Path | None = None

    def private_bytes(self, dataset_bytes: int, handover: Handover) -> int:
        """The most private memory that any step needs."""
        return max(step.private_bytes(dataset_bytes, handover) for step in self.steps)


PREPARE = StepPlan("prepare-data", "prepare_data.py", (), 0.0, takes_multiplier=True)
_OUTPUTS = TRAIN + TEST + 2 * (TRAIN_COLUMN + TEST_COLUMN)
_TRAIN_INPUTS, _TEST_INPUTS = TRAIN + 3 * TRAIN_COLUMN, TEST + 3 * TEST_COLUMN
_LEAN = ("--pipeline=lean",)
PUBLISHED = Pipeline(
    "published",
    (
        # the dataset and the filtered one, or that and what it is split into
        StepPlan("preprocess-data", "preprocess_data.py", (), 2.04, output_tables=_OUTPUTS, takes_multiplier=True),
        # scikit-learn's float64, and the copy that LAPACK overwrites
        StepPlan("train-data", "train_data.py", ("preprocess-data",), 2 * TRAIN + 2 * TRAIN_COLUMN, _TRAIN_INPUTS),
        StepPlan(
            "test-data", "test_data.py", ("preprocess-data", "train-data"), TEST, _TEST_INPUTS, gathered_tables=TEST
        ),
    ),
)
# just the dataset, for `prepare`
PREPARE_ONLY = Pipeline("prepare", (PREPARE,), hands_over=False)
LEAN = Pipeline(
    "lean",
    (
        # row numbers: those kept, their permutation, the two parts of it, and where each row goes; a block of the rows
        StepPlan(
            "preprocess-data", "preprocess_data.py", (), 0.06, output_tables=TRAIN + TEST, gathers_outputs=True,
            fixed_bytes=52_000_000, takes_multiplier=True, arguments=_LEAN,
        ),
        StepPlan(
            "train-data", "train_data.py", ("preprocess-data",), 0.0, _TRAIN_INPUTS, fixed_bytes=6_000_000,
            arguments=_LEAN,
        ),
        StepPlan(
            "test-data", "test_data.py", ("preprocess-data", "train-data"), 0.0, _TEST_INPUTS, fixed_bytes=6_000_000,
            arguments=_LEAN,
        ),
    ),
)  # fmt: skip
PIPELINES = {pipeline.name: pipeline for pipeline in (PUBLISHED, LEAN)}
# they hand their tables over in the shared memory of a Vineyard worker
VINEYARD_STORES = frozenset({"vineyard", "vineyard-block"})


def storage_environment(storage: Storage | None) -> Mapping[str, str]:
    """How steps are told of a storage that is emulated; prepare-data never is."""
    return {"FLUIDBENCH_STORAGE_BANDWIDTH": f"{storage.bandwidth_bytes_per_s:.0f}"} if storage else {}


def dataset_bytes(multiplier: int) -> int:
    """The bytes of the dataset's cells."""
    return multiplier * ROWS_PER_MULTIPLIER * ROW_BYTES


def exchange_bytes(multiplier: int) -> int:
    """The bytes of the four tables between the steps, with an index each, rounded up."""
    return int(EXCHANGE_TABLES * dataset_bytes(multiplier)) + 1


@dataclass(frozen=True)
class Plan:
    """One run, before it has a target and a time."""

    store: str
    multiplier: int
    pipeline: Pipeline = PUBLISHED
    cache_policy: str = "cold"
    threads: int = 1
    step_timeout_s: float = 3600.0
    # of a cluster: where all steps run
    node: str = ""
    # what is put under the files that the steps read and write; None: the storage as it is
    storage: Storage | None = None
    # of the store s3: where the objects go, and on a cluster the Secret that a user made for the steps
    s3_url: str = ""
    s3_secret: str = ""
    prepare: StepPlan = field(default=PREPARE)

    @property
    def drop_caches(self) -> bool:
        """Whether all of the page cache is dropped before each step, as the published steps do; takes privilege."""
        return self.cache_policy == "dropped"

    @property
    def rows(self) -> int:
        return self.multiplier * ROWS_PER_MULTIPLIER

    @property
    def dataset_bytes(self) -> int:
        """The bytes of the dataset's cells; none where no step reads it."""
        return dataset_bytes(self.multiplier) if self.pipeline.reads_dataset else 0

    @property
    def exchange_bytes(self) -> int:
        """The bytes of the tables between the steps; none where there are no steps but one."""
        if not self.pipeline.hands_over:
            return 0
        return int(self.pipeline.exchange_tables * dataset_bytes(self.multiplier)) + 1

    def private_bytes(self, handover: Handover) -> int:
        """The most private memory that any step needs."""
        return self.pipeline.private_bytes(dataset_bytes(self.multiplier), handover)
