"""A small pipeline of a user's own, written to a directory: rows are made, and their squares summed up."""

from pathlib import Path

DESCRIBED = """
name = "squares"

[tables]
rows = 200_000

[[steps]]
name = "sum-up"
script = "sum_up.py"
loads = ["rows"]

[[steps]]
name = "make-rows"
script = "make_rows.py"
saves = ["rows"]
"""
MAKE_ROWS = """
import contract
import sizes_of_mine

with contract.measured("make-rows") as step:
    import numpy as np
    import pandas as pd

    step.started()
    with step.phase("compute"):
        count = sizes_of_mine.ROWS * step.told.multiplier
        numbers = np.random.default_rng(3).random(count)
        table = pd.DataFrame({"number": numbers, "small": np.arange(count, dtype="int16")})
    step.results["count"] = np.int64(count)
    step.save({"rows": table})
"""
SUM_UP = """
import contract

with contract.measured("sum-up") as step:
    step.started(tables=["rows"])
    (rows,) = step.load("rows")
    with step.phase("compute"):
        squares = rows["number"] ** 2
    step.results |= {"count": len(rows), "sums": [squares.sum(), rows["small"].sum()]}
"""


def write(directory: Path, described: str = DESCRIBED, **scripts: str) -> Path:
    """The pipeline in `directory`; `scripts` are the contents of others, or of the same."""
    directory.mkdir(parents=True)
    (directory / "pipeline.toml").write_text(described, encoding="utf-8")
    (directory / "sizes_of_mine.py").write_text("ROWS = 10_000\n", encoding="utf-8")
    for name, text in ({"make_rows": MAKE_ROWS, "sum_up": SUM_UP} | scripts).items():
        (directory / f"{name}.py").write_text(text, encoding="utf-8")
    return directory
