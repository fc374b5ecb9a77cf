"""The wheel: built, installed into an empty environment, and used from there."""

import json
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from support.program import environment, executable

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True, capture_output=True,
    )  # fmt: skip
    [built] = out.glob("*.whl")
    return built


def test_steps_and_templates_lie_inside_the_package_and_nowhere_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {"fluidbench/steps/train_data.py", "fluidbench/steps/stores/pickle_file.py"} <= set(names)
    assert any(name.startswith("fluidbench/templates/") for name in names)
    tops = {name.partition("/")[0] for name in names}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"fluidbench"}


def test_every_step_script_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for script in ROOT.glob("steps/**/*.py"):
        assert f"fluidbench/{script.relative_to(ROOT)}" in names


def test_the_smallest_multiplier_runs_from_the_wheel_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(prefix)], check=True)
    python = str(prefix / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(prefix)}))
    # the dependencies that are installed here, so that nothing is downloaded; FluidBench itself comes from the wheel
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    home = tmp_path / "home"
    home.mkdir()
    env = environment(home, PYTHONPATH="", PYTHONDONTWRITEBYTECODE="1")
    where = subprocess.run(
        [python, "-c", "import fluidbench; print(fluidbench.__file__)"], env=env, capture_output=True, text=True,
        check=True, cwd=home,
    )  # fmt: skip
    assert where.stdout.startswith(str(prefix))
    done = subprocess.run(
        [executable(str(prefix)), "run", "--multiplier", "1", "--vineyard", "--json"], env=env, capture_output=True,
        text=True, check=False, cwd=home,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["runs"][0]["state"] == "Succeeded"
