"""What is to be run: the pipelines, and the plan of one run. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fluidbench.records import Storage

# of docs/reference/step-contract.md; steps/contract.py has its own, and refuses another
STEP_CONTRACT_VERSION = 1
ROWS_PER_MULTIPLIER = 10_000
COLUMNS = 46
ROW_BYTES = COLUMNS * 8
# pandas, scikit-learn and vineyard in memory, before any data
IMPORTS_BYTES = 190_000_000


@dataclass(frozen=True)
class StepPlan:
    """One step: its script, the steps it needs, and its memory as multiples of the dataset.

    `private_tables` is the peak of what the step allocates for itself, `input_tables` what it was handed over, which
    is private memory too where the store does not share it.
    """

    name: str
    script: str
    needs: tuple[str, ...]
    private_tables: float
    input_tables: float = 0.0
    takes_multiplier: bool = False


@dataclass(frozen=True)
class Pipeline:
    name: str
    steps: tuple[StepPlan, ...]
    hands_over: bool = True

    def private_bytes(self, dataset_bytes: int, *, inputs_shared: bool = False) -> int:
        """The most private memory that any step needs. The factors are measured: docs/measurement.md."""
        shared = 0 if inputs_shared else 1
        tables = max(step.private_tables + shared * step.input_tables for step in self.steps)
        return IMPORTS_BYTES + int(tables * dataset_bytes)


PREPARE = StepPlan("prepare-data", "prepare_data.py", (), 1 / COLUMNS, takes_multiplier=True)
PUBLISHED = Pipeline(
    "published",
    (
        StepPlan("preprocess-data", "preprocess_data.py", (), 2.0, takes_multiplier=True),
        StepPlan("train-data", "train_data.py", ("preprocess-data",), 1.5, 0.8),
        StepPlan("test-data", "test_data.py", ("preprocess-data", "train-data"), 0.2, 0.2),
    ),
)
# just the dataset, for `prepare`
PREPARE_ONLY = Pipeline("prepare", (PREPARE,), hands_over=False)
PIPELINES = {pipeline.name: pipeline for pipeline in (PUBLISHED,)}
# they hand their tables over in the shared memory of a Vineyard worker
VINEYARD_STORES = frozenset({"vineyard", "vineyard-block"})
TABLES = ("X_train", "X_test", "y_train", "y_test")
# 4201 of the 4401 values of GrLivArea (600 to 5000) pass the filter; X and y carry an index each
EXCHANGE_TABLES = (4201 / 4401) * (COLUMNS + 2) / COLUMNS


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
        """The bytes of the dataset's cells."""
        return dataset_bytes(self.multiplier)

    @property
    def exchange_bytes(self) -> int:
        """The bytes of the four tables between the steps; none where there are no steps but one."""
        return exchange_bytes(self.multiplier) if self.pipeline.hands_over else 0

    def private_bytes(self, *, inputs_shared: bool) -> int:
        """The most private memory that any step needs."""
        return self.pipeline.private_bytes(self.dataset_bytes, inputs_shared=inputs_shared)
