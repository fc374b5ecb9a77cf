"""`fluidbench render` on the command line."""

import json
from collections.abc import Callable

import pytest
import yaml

from fluidbench.cli.main import main
from fluidbench.render import PipelineOptions, workflow

Printed = tuple[int, str, str]
EPOCH = "1764122400"
BUCKET = ("--store", "s3", "--s3-url", "s3://tables/runs", "--s3-secret", "bucket-keys")


@pytest.fixture
def rendered(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Printed]:
    """Runs `fluidbench render` at a fixed time."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)

    def run(*argv: str) -> Printed:
        code = main(["render", *argv])
        printed = capfd.readouterr()
        return code, printed.out, printed.err

    return run


def test_it_prints_the_workflow_and_nothing_else(rendered: Callable[..., Printed]) -> None:
    code, out, err = rendered("--vineyard", "--multiplier", "2000", "--registry", "r.example")
    options = PipelineOptions("vineyard", 2000, registry="r.example", compiled_at="2025-11-26T02:00:00")
    assert (code, err) == (0, "")
    assert yaml.safe_load(out) == workflow(options)


def test_all_can_be_created_in_the_order_in_which_it_is_printed(rendered: Callable[..., Printed]) -> None:
    _, out, _ = rendered("--what", "all", "--namespace", "benchmarks", "--nfs", "nas:/export")
    made = list(yaml.safe_load_all(out))
    assert [manifest["kind"] for manifest in made] == [
        "ServiceAccount", "Role", "RoleBinding", "PersistentVolume", "PersistentVolumeClaim",
        "VineyardRuntime", "Dataset", "Job", "Workflow", "Workflow",
    ]  # fmt: skip
    assert {manifest["metadata"].get("namespace", "") for manifest in made} == {"benchmarks", ""}


@pytest.mark.parametrize("what", ["setup", "prepare"])
def test_what_is_to_be_applied_has_a_name(rendered: Callable[..., Printed], what: str) -> None:
    _, out, _ = rendered("--what", what)
    assert all(manifest["metadata"]["name"] for manifest in yaml.safe_load_all(out))


def test_the_difference_holds_what_vineyard_needs_and_applies_to_the_file_pipeline(
    rendered: Callable[..., Printed],
) -> None:
    code, out, err = rendered("--diff")
    added = {line[1:].strip() for line in out.splitlines() if line.startswith("+") and not line.startswith("+++")}
    assert code == 0
    assert {"- --with_vineyard=True", "mountPath: /var/run/vineyard", "claimName: vineyard"} <= added
    assert "fuse.serverful.fluid.io/inject: 'true'" in added
    assert "\x1b[" not in out
    assert "fluidbench render --what setup" in err


def test_the_difference_does_not_depend_on_the_arm_that_was_asked_for(rendered: Callable[..., Printed]) -> None:
    assert rendered("--diff")[1] == rendered("--diff", "--vineyard")[1]


@pytest.mark.parametrize("store", ["vineyard-block", "parquet", "arrow"])
def test_any_store_of_a_cluster_can_be_rendered(rendered: Callable[..., Printed], store: str) -> None:
    code, out, _ = rendered("--store", store, "--storage-bandwidth", "300MB/s", "--pipeline", "lean")
    printed = yaml.safe_load(out)
    assert code == 0
    for template in printed["spec"]["templates"][1:]:
        environment = {entry["name"]: entry.get("value") for entry in template["container"]["env"]}
        assert environment["FLUIDBENCH_STORE"] == store
        assert environment["FLUIDBENCH_STORAGE_BANDWIDTH"] == "300000000"


def test_the_second_of_all_pipelines_and_the_difference_are_of_the_store(rendered: Callable[..., Printed]) -> None:
    _, out, _ = rendered("--what", "all", "--store", "vineyard-block")
    files, other = [item for item in yaml.safe_load_all(out) if item["kind"] == "Workflow"]
    assert ("value: vineyard-block" in yaml.safe_dump(files), "value: vineyard-block" in yaml.safe_dump(other)) == (
        False, True,
    )  # fmt: skip
    _, out, _ = rendered("--what", "all", *BUCKET)
    files, other = [yaml.safe_dump(item) for item in yaml.safe_load_all(out) if item["kind"] == "Workflow"]
    assert [("bucket-keys" in text, "s3://tables/runs" in text) for text in (files, other)] == [
        (False, False), (True, True),
    ]  # fmt: skip
    _, difference, err = rendered("--diff", "--store", "parquet")
    assert "value: parquet" in difference
    assert (difference.count("claimName: vineyard"), err) == (0, "")


def test_a_bucket_and_its_secret_stand_in_the_pipeline_and_in_what_removes_it(rendered: Callable[..., Printed]) -> None:
    for more in ((), ("--what", "clean-up", "--run-id", "r")):
        code, out, _ = rendered(*BUCKET, *more)
        assert code == 0
        assert "s3://tables/runs" in out
        assert "name: bucket-keys" in out


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("--store", "tmpfs"), "for one machine"),
        (("--store", "mine:Store"), "not in the step image"),
        (("--store", "s3"), "s3://"),
        (("--store", "s3", "--s3-url", "s3://b/p", "--storage-bandwidth", "1GB/s"), "cannot limit"),
        (("--store", "arrow", "--vineyard"), "contradict"),
    ],
)
def test_a_store_that_no_cluster_can_have_is_refused(
    rendered: Callable[..., Printed], monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...], told: str
) -> None:
    monkeypatch.delenv("FLUIDBENCH_S3_URL", raising=False)
    code, out, err = rendered(*argv)
    assert (code, out) == (2, "")
    assert told in err


def test_json_holds_the_same_manifests(rendered: Callable[..., Printed]) -> None:
    _, out, _ = rendered("--what", "setup", "--json")
    envelope = json.loads(out)
    _, text, _ = rendered("--what", "setup")
    assert envelope == {"format_version": 1, "manifests": list(yaml.safe_load_all(text))}


def test_the_difference_comes_as_json_too(rendered: Callable[..., Printed]) -> None:
    _, plain, _ = rendered("--diff")
    _, out, _ = rendered("--diff", "--json")
    assert json.loads(out) == {"format_version": 1, "diff": plain.rstrip("\n")}


def test_a_clean_up_needs_to_know_the_run(rendered: Callable[..., Printed]) -> None:
    code, out, err = rendered("--what", "clean-up")
    assert (code, out) == (2, "")
    assert "--run-id" in err
    code, out, _ = rendered("--what", "clean-up", "--run-id", "machine-learning-pipeline-x2v4k", "--vineyard")
    assert code == 0
    assert yaml.safe_load(out)["metadata"]["name"] == "clean-up-machine-learning-pipeline-x2v4k"


def test_registry_and_step_image_contradict_each_other(rendered: Callable[..., Printed]) -> None:
    code, _, err = rendered("--registry", "a", "--step-image", "b")
    assert code == 2
    assert "contradict" in err


def test_an_expression_of_argos_in_an_option_is_a_usage_error(rendered: Callable[..., Printed]) -> None:
    code, out, err = rendered("--node", "{{workflow.name}}")
    assert (code, out) == (2, "")
    assert "Argo would fill in" in err
