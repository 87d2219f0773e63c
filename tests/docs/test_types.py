"""Type checkers see what users see: the README's scripts and the examples pass ``mypy --strict``."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastcnn as fc

ROOT = Path(fc.__file__).parents[1]


@pytest.fixture(scope="module")
def strict():
    """Return what mypy says of these scripts, told as text by their names, and of these files."""
    pytest.importorskip("mypy", reason="mypy is not installed: pip install '.[dev]'")
    # Beside the kernels, where one run leaves to the next what it found: a second instead of ten.
    folder = Path(os.environ["FASTCNN_CACHE_DIR"]) / "mypy"

    def run(scripts, *paths):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in scripts.items():
            (folder / f"{name}.py").write_text(text)
        done = subprocess.run(  # in this one its memory would stay
            [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent",
             f"--config-file={ROOT / 'pyproject.toml'}", f"--cache-dir={folder}", "--no-error-summary",
             *(str(folder / f"{name}.py") for name in scripts), *map(str, paths)],
            env=os.environ | {"MYPYPATH": str(ROOT)}, capture_output=True, text=True)
        assert not done.stderr
        return [line.rpartition("/")[2] for line in done.stdout.splitlines()]

    return run


def test_the_readme_and_the_examples_pass_mypy_strict(strict):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert blocks
    told = ("import fastcnn as fc\n"
            "model = fc.Sequential([fc.Input((2,)), fc.layers.Dense(1)])\n"
            "reveal_type(model.predict([[1, 2]]))\n"
            "reveal_type(fc.layers.Conv2D(1, 3))\n"
            "fc.layers.Conv4D\nfc.Sequental\n")
    rooms = (fc, fc.activations, fc.applications, fc.datasets, fc.layers, fc.losses, fc.metrics, fc.models,
             fc.optimizers, fc.saving, fc.training, fc.utils)
    public = "\n".join(["import fastcnn", *(f"{room.__name__}.{name}" for room in rooms for name in room.__all__)])
    said = strict({f"readme_{number}": block for number, block in enumerate(blocks)} | {"told": told, "public": public},
                  *sorted((ROOT / "examples").glob("*.py")), *sorted((ROOT / "examples" / "lessons").glob("*.py")))
    assert [line for line in said if not line.startswith("told.py")] == []
    array, layer, unknown, typo = said
    assert "numpy.ndarray" in array
    assert "fastcnn.layers.conv.Conv2D" in layer
    assert 'Module has no attribute "Conv4D"' in unknown
    assert 'Module has no attribute "Sequental"' in typo


ROOMS = sorted(path for path in (ROOT / "fastcnn").rglob("__init__.py") if "__all__" in path.read_text())


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_a_room_s_names_are_written_out(path):
    """Type checkers read `__all__` as it stands; one that is computed tells them nothing."""
    for node in ast.parse(path.read_text()).body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(
            node, (ast.AugAssign, ast.AnnAssign)) else []
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            names = ast.literal_eval(node.value)
            assert len(set(names)) == len(names)


def test_the_package_gives_every_name_that_it_lists():
    assert all(getattr(fc, name) is not None for name in fc.__all__)
    assert {*fc._OBJECTS, "__version__"} < {*fc.__all__}
