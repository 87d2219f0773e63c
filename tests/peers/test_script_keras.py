"""Keras runs the script of examples/ when its import lines are changed back, and names layers as we do."""

from pathlib import Path

import numpy as np
import pytest

from fastcnn import datasets, layers
from fastcnn.auto_names import snake_case

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.peers

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "keras_mnist_convnet.py"


def test_only_the_import_lines_of_the_script_know_of_fastcnn(monkeypatch, capsys):
    ours = "import fastcnn as keras", "from fastcnn import layers"
    theirs = "import keras", "from keras import layers"
    text = SCRIPT.read_text()
    for line, other in zip(ours, theirs):
        assert text.count(f"\n{line}\n") == 1
        text = text.replace(f"\n{line}\n", f"\n{other}\n")

    (x, y), _ = datasets.digits.load_data()
    x = np.kron(x[:64, 1:, 1:], np.ones((1, 4, 4))).astype("uint8") * 15  # as large as MNIST's, without its files
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: ((x, y[:64]), (x[:16], y[:16])))
    fit = keras.Sequential.fit  # without Keras's progress bar, which PyTorch's tensors break
    monkeypatch.setattr(keras.Sequential, "fit", lambda *given, **named: fit(*given, **named, verbose=0))
    exec(compile(text, str(SCRIPT), "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert "34,826" in printed
    assert "Test accuracy:" in printed


@pytest.mark.parametrize("name", [name for name in layers.__all__ if isinstance(getattr(layers, name), type)])
def test_names_of_layers_are_made_as_in_keras(name):
    assert snake_case(name) == keras.src.utils.naming.to_snake_case(name)
