"""The configurations of examples/configs: they can be read, their results are those of the table; the script beside."""

import importlib.util
import json
import re

import numpy as np
import pytest

from fastcnn.cli import main
from tests.examples.test_examples import EXAMPLES

CONFIGS = EXAMPLES / "configs"
README = (CONFIGS / "README.md").read_text()


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("run", CONFIGS / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_run(path, accuracies, test=None, dev=False, complete=True):
    """Write what a run leaves: 30 CPU seconds an epoch."""
    path.mkdir(parents=True)
    lines = [{"epoch": i, "accuracy": one, "cpu_seconds": 30.0} | ({"val_accuracy": one / 2} if dev else {})
             for i, one in enumerate(accuracies, 1)]  # fmt: skip
    (path / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (path / "model.safetensors").touch()
    if not complete:
        (path / "checkpoints").mkdir()
    if test is not None:
        (path / "looks.jsonl").write_text(f'{{"accuracy": {test}}}\n{{"accuracy": 0.99}}\n')


def test_results_are_those_of_complete_runs_by_their_first_look_at_the_test_images(tmp_path, script):
    make_run(tmp_path / "plan-2", [0.5, 0.7], test=0.9)
    make_run(tmp_path / "plan-1", [0.5, 0.8], test=0.8)
    make_run(tmp_path / "plan-3", [0.5], test=0.1, complete=False)
    make_run(tmp_path / "plan-dev", [0.6, 0.9], dev=True)
    make_run(tmp_path / "plan-other-1", [0.5], test=0.2)
    script.report("plan", tmp_path, tmp_path / "results")
    found = json.loads((tmp_path / "results" / "plan.json").read_text())
    assert {key: found[key] for key in ("seeds", "mean", "worst", "minutes")} == {
        "seeds": [1, 2], "mean": 0.85, "worst": 0.8, "minutes": 0.5}  # fmt: skip
    assert [(one["seed"], one["test_accuracy"], one["dev_accuracy"]) for one in found["runs"]] == [
        ("1", 0.8, None), ("2", 0.9, None), ("dev", None, 0.45)]  # fmt: skip


def test_a_curve_is_drawn(tmp_path, script):
    pytest.importorskip("matplotlib", reason='the picture needs matplotlib: pip install "fastcnn[plot]"')
    make_run(tmp_path / "plan-1", [0.5, 0.8], test=0.8)
    make_run(tmp_path / "plan-dev", [0.6, 0.9], dev=True)
    script.report("plan", tmp_path, tmp_path)
    assert "test images, each seed" in (tmp_path / "plan.svg").read_text()


def test_the_page_gets_the_results_and_the_curves(tmp_path, script):
    script.HERE = tmp_path
    (tmp_path / "README.md").write_text("# A\n| [plan](plan.toml) | MNIST | 99 % in 1 minute | | | | |\n| [b](b) | |\n"
                                        "\n## Curves\n\n![old](results/old.svg)\n")
    make_run(tmp_path / "plan-1", [0.5, 0.8], test=0.98765)
    for _ in range(2):
        (tmp_path / "results").mkdir(exist_ok=True)
        (tmp_path / "results" / "plan.svg").touch()  # also where nothing can draw
        script.report("plan", tmp_path, tmp_path / "results")
        assert (tmp_path / "README.md").read_text() == (
            "# A\n| [plan](plan.toml) | MNIST | 99 % in 1 minute | 98.77 % | 98.77 % | 0.5 | 1 |\n| [b](b) | |\n\n"
            "## Curves\n\n![plan](results/plan.svg)\n")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("results/*.json")), ids=lambda path: path.stem)
def test_the_table_has_the_results(path):
    found = json.loads(path.read_text())
    row = next(line for line in README.splitlines() if line.startswith(f"| [{path.stem}]"))
    if found["seeds"]:
        assert row.endswith(f"| {100 * found['mean']:.2f} % | {100 * found['worst']:.2f} % | {found['minutes']:.1f} | "
                            f"{', '.join(map(str, found['seeds']))} |")


SEEING = sorted(path for path in CONFIGS.glob("*.toml") if path.stem.startswith(("bccd", "nuclei", "omniglot")))


@pytest.mark.parametrize("path", SEEING, ids=lambda path: path.stem)
def test_a_configuration_of_a_run_that_sees_is_a_recipe_and_in_the_table(path, tmp_path, monkeypatch, capsys):
    """With a few pictures in the place of its data set."""
    pytest.importorskip("PIL")
    from tests.datasets import annotated_files as files

    monkeypatch.chdir(tmp_path)
    if "bccd" in path.stem:
        files.voc(tmp_path / "some", [[("cat", 10, 10, 40, 30)]] * 5)
    for k in range(10 if "bccd" not in path.stem else 0):
        folders = ("images", "masks") if "nuclei" in path.stem else (f"p{k}", f"p{k}")
        for number, folder in enumerate(folders):
            files.picture(tmp_path / "some" / folder / f"{k if 'nuclei' in path.stem else number}.png", channels=1)
    assert main(["train", "--config", str(path), "--dataset", "some", "--seed", "1", "--print-config"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line for line in path.read_text().splitlines() if line.startswith(("epochs", "batch-size", "optimizer"))
            } <= set(lines)  # fmt: skip
    assert f"[{path.stem}]({path.name})" in README


def test_the_commands_of_the_table_of_seeing_are_there():
    _, _, rows = README.partition("## Seeing")
    scripts = re.findall(r"\| `python examples/([\w/]+\.py)", rows)
    assert len(scripts) >= 5
    assert all((EXAMPLES / name).is_file() for name in scripts)


@pytest.mark.parametrize("path", sorted({*CONFIGS.glob("*.toml")} - {*SEEING}), ids=lambda path: path.stem)
def test_a_configuration_trains_and_is_in_the_table(path, tmp_path, monkeypatch):
    """On twenty images of its shape: the data sets themselves are large."""
    monkeypatch.chdir(tmp_path)
    shape = (32, 32, 3) if "cifar10" in path.stem else (28, 28)
    draw = np.random.default_rng(0)
    some = {"x_train": draw.integers(0, 255, (20, *shape), np.uint8), "y_train": np.arange(20) % 10}
    np.savez("some.npz", **some, x_test=some["x_train"], y_test=some["y_train"])
    assert main(["train", "--config", str(path), "--dataset", "some.npz", "--dev", "0", "--epochs", "1", "--seed", "1",
                 "--out", "run"]) == 0  # fmt: skip
    assert f"[{path.stem}]({path.name})" in README


@pytest.mark.parametrize("path", sorted((CONFIGS / "searches").glob("*.toml")), ids=lambda path: path.stem)
def test_a_search_asks_for_what_training_takes_and_is_in_the_table(path):
    import click

    from fastcnn.cli._tuning import asked_space
    from fastcnn.cli.tune import command
    from fastcnn.tuning import space_of

    asked = asked_space(click.Context(command), str(path), None)
    assert set(space_of(asked["space"])) == set(asked["space"])
    assert f"(searches/{path.name})" in README
