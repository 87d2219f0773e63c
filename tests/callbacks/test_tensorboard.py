"""TensorBoard: what lies in the files, read as TensorBoard reads them."""

import struct
import sys

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.callbacks import LambdaCallback, TensorBoard
from fastcnn.callbacks.tensorboard_pictures import picture
from fastcnn.errors import ArgumentError
from tests.callbacks.models import X, model

pytestmark = pytest.mark.filterwarnings("ignore")  # of protobuf's own


def events(folder):
    """Return the events of the one file in a folder."""
    pytest.importorskip("tensorboardX")
    from tensorboardX.proto import event_pb2

    (path,) = folder.glob("events.out.tfevents.*")
    found, data, at = [], path.read_bytes(), 0
    while at < len(data):  # its length, a checksum, the event, a checksum
        (length,) = struct.unpack("<Q", data[at:at + 8])
        found.append(event_pb2.Event.FromString(data[at + 12:at + 12 + length]))
        at += length + 16
    return found


def values(folder):
    """Return what was written, by tag: [(step, value)]."""
    found = {}
    for event in events(folder):
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value))
    return found


def scalars(folder):
    return {tag: [(step, value.simple_value) for step, value in those] for tag, those in values(folder).items()
            if those[0][1].WhichOneof("value") == "simple_value"}


def test_a_training_has_its_curves(tmp_path):
    pytest.importorskip("tensorboardX")
    one = model(metrics=["mae"])
    board = TensorBoard(tmp_path, update_freq=2, write_steps_per_second=True)
    history = one.fit(X, X, batch_size=4, epochs=2, verbose=0, validation_data=(X, X), callbacks=board).history
    train, validation = scalars(tmp_path / "train"), scalars(tmp_path / "validation")
    assert set(train) == {"epoch_loss", "epoch_mae", "epoch_learning_rate", "epoch_steps_per_second", "batch_loss",
                          "batch_mae"}
    assert set(validation) == {"epoch_loss", "epoch_mae", "evaluation_loss_vs_iterations",
                               "evaluation_mae_vs_iterations"}
    for tag, name in (("epoch_loss", "loss"), ("epoch_mae", "mae")):
        np.testing.assert_allclose(train[tag], list(enumerate(history[name])), rtol=1e-6)
        np.testing.assert_allclose(validation[tag], list(enumerate(history[f"val_{name}"])), rtol=1e-6)
    assert [step for step, _ in train["batch_loss"]] == [2, 4, 6]
    assert [step for step, _ in validation["evaluation_loss_vs_iterations"]] == [3, 6]
    np.testing.assert_allclose(train["epoch_learning_rate"], [(0, 0.01), (1, 0.01)], rtol=1e-6)


def test_weights_gradients_filters_and_the_graph_are_drawn(tmp_path):
    pytest.importorskip("tensorboardX")
    x = fc.Input((6, 6, 3), name="pixels")
    y = layers.Conv2D(4, 3, padding="same", name="filters")(x)
    one = fc.Model(x, layers.Dense(2, name="out")(layers.Flatten(name="flat")(layers.Add(name="sum")([y, y]))))
    one.compile("sgd", "mse")
    grads = []
    one.fit(np.ones((4, 6, 6, 3)), np.ones((4, 2)), epochs=3, verbose=0, callbacks=[
        LambdaCallback(on_epoch_end=lambda epoch, logs: grads.append(one.layers[1].weights[0].grad.copy())),
        TensorBoard(tmp_path, histogram_freq=2, write_images=True)])
    found = values(tmp_path / "train")
    tags = {tag for tag in found if tag.startswith("filters/")}
    assert tags == {f"filters/{name}/{what}" for name in ("kernel", "bias") for what in (
        "histogram", "gradient_histogram")} | {"filters/kernel/image"}
    assert [step for step, _ in found["filters/kernel/histogram"]] == [0, 2]
    drawn = [value.histo for _, value in found["filters/kernel/gradient_histogram"]]
    for histogram, gradient in zip(drawn, grads[::2], strict=True):
        assert histogram.num == gradient.size
        np.testing.assert_allclose([histogram.min, histogram.max], [gradient.min(), gradient.max()], rtol=1e-6)
    (graph,) = [event.graph_def for event in events(tmp_path / "train") if event.graph_def]
    from tensorboardX.proto import graph_pb2

    nodes = {node.name: (node.op, list(node.input)) for node in graph_pb2.GraphDef.FromString(graph).node}
    assert nodes == {"pixels": ("Input", []), "filters": ("Conv2D", ["pixels"]), "sum": ("Add", ["filters", "filters"]),
                     "flat": ("Flatten", ["sum"]), "out": ("Dense", ["flat"])}


def test_pictures_of_filters():
    colour = np.arange(2 * 3 * 3 * 5, dtype=float).reshape(2, 3, 3, 5)
    drawn = picture(colour)
    assert drawn.shape == (2 * 3, 3 * 4, 3), "five in two rows of three, a pixel between them"
    np.testing.assert_allclose(drawn[0:2, 4:7] * (colour.size - 1), colour[..., 1])
    np.testing.assert_allclose(drawn[3:5, 0:3] * (colour.size - 1), colour[..., 3])
    deep = np.arange(2 * 2 * 4 * 3, dtype=float).reshape(2, 2, 4, 3)
    drawn = picture(deep)
    assert drawn.shape == (4 * 3, 3 * 3, 1), "a row for each channel, a column for each filter"
    np.testing.assert_allclose(drawn[3:5, 6:8, 0] * (deep.size - 1), deep[:, :, 1, 2])
    assert picture(np.eye(3)).shape == (3, 3, 1)
    assert picture(np.ones((2, 3, 1, 1))).max() == 0, "all alike"
    assert picture(np.ones(3)) is None


def test_without_the_library_training_does_not_begin(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    one = model()
    with pytest.raises(ImportError, match=r'expected tensorboardX to be installed; pip install "fastcnn'):
        one.fit(X, X, verbose=0, callbacks=TensorBoard(tmp_path))
    assert one.optimizer.iterations == 0


@pytest.mark.parametrize(("options", "message"), [
    ({"update_freq": "step"}, "expected update_freq to be \"epoch\", \"batch\" or a positive integer, got 'step'"),
    ({"update_freq": 0}, "or a positive integer, got 0"), ({"histogram_freq": -1}, "an integer from 0, got -1"),
    ({"profile_batch": 5}, "profile_batch=5 is not offered"),
    ({"embeddings_freq": 1}, "embeddings_freq=1 is not offered"),
])  # fmt: skip
def test_what_is_not_offered_is_refused(options, message):
    with pytest.raises(ArgumentError, match=f"TensorBoard: .*{message}"):
        TensorBoard(**options)
