"""A gradient check that finds a planted error: which parameters are wrong, which layer it is, and why in float64.

    python examples/lessons/gradient_check.py

A layer of one's own, Swish, has a slip in its backward pass: one term of the derivative is left out. The network learns
all the same, so nobody would notice. `fc.check_gradients` moves numbers of each parameter a little both
ways and compares how the cost moves with what the gradient says. It names the parameters that are wrong, which are
those below the slip, and the layer. The last picture shows how far to move: too far, and the cost is no line; too
little, and rounding is all that is left, in float32 before the check could say anything.

Needs matplotlib: pip install "fastcnn[plot]".
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastcnn as fc
from fastcnn import layers

Array = NDArray[Any]

COLORS = {"right": "#2e8b57", "probably right": "#9bc4a5", "doubtful": "#c9a227", "wrong": "#c8501e", "zero": "#8a8a8a",
          "not told": "#8a8a8a"}


class Swish(layers.Layer):
    """y = x s(x), with the logistic function s; its slope is s + x s (1 - s)."""

    def __init__(self, slip: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.slip = slip

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def forward(self, x: Array, call: layers.Call = layers.Call()) -> Any:
        x = self.checked(x)
        s = 1 / (1 + np.exp(-x))
        slope = s if self.slip else s + x * s * (1 - s)
        return x * s, lambda dy: dy * slope


def network(slip: bool) -> fc.Sequential:
    fc.utils.set_random_seed(4)
    model = fc.Sequential([
        fc.Input((8, 8, 1)),
        layers.Conv2D(8, 3, kernel_regularizer="l2", name="conv"), layers.BatchNormalization(name="norm"),
        Swish(slip, name="swish"), layers.Conv2D(8, 3, activation="tanh", name="conv2"), layers.Flatten(),
        layers.Dropout(0.5), layers.Dense(10, activation="softmax", name="head"),
    ])
    model.compile(fc.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def errors_by_step(x: Array, y: Array, dtype: str, steps: Array) -> Array:
    """Return how far the difference is from the slope of a network in one type, for each step in one direction."""
    fc.utils.set_random_seed(4)
    with fc.dtype_policies.everywhere(dtype):
        model = fc.Sequential([fc.Input((64,)), layers.Dense(16, activation="tanh"), layers.Dense(10)])
    model.compile("sgd", fc.losses.SparseCategoricalCrossentropy(from_logits=True))
    weights = model.get_weights()
    direction = np.sign(np.random.default_rng(1).standard_normal(weights[0].shape))
    model.optimizer.learning_rate = 0.0
    model.train_on_batch(x, y)
    slope = float((model.trainable_weights[0].grad * direction).sum())
    found = []
    for step in steps:
        sides = []
        for sign in (1, -1):
            model.set_weights([weights[0] + sign * step * direction, *weights[1:]])
            sides.append(float(model.evaluate(x, y, batch_size=len(x))))
        found.append(abs((sides[0] - sides[1]) / (2 * step) - slope) / abs(slope))
    return np.maximum(found, 1e-12)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=16, help="of the checked batch (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("gradient_check.png"))
    given = parser.parse_args(arguments)
    from matplotlib.figure import Figure

    data = fc.datasets.load("digits")
    order = np.random.default_rng(0).permutation(len(data.x_train))
    x, y = np.asarray(data.x_train, "float32")[order] / 16, data.y_train[order]
    figure = Figure(figsize=(11.6, 3.6), layout="constrained")
    axes = figure.subplots(1, 3)
    for axis, slip in zip(axes, (False, True), strict=False):
        model = network(slip)
        accuracy = model.fit(x, y, batch_size=32, epochs=3, verbose=0).history["accuracy"][-1]
        report = fc.check_gradients(model, x[:given.images], y[:given.images])
        print(f"{report}\n")
        title = "a slip in Swish" if slip else "no slip"
        print(f"With {title} the network reads {accuracy:.0%} after 3 epochs; the check says: {report.verdict}"
              f"{''.join(f', in the layer {one.layer}' for one in report.layers)}.\n")
        ratios = [max(row.ratio, 1e-10) for row in report]
        axis.barh([row.path for row in report], ratios, left=0, height=0.6, color=[
            COLORS[row.verdict] for row in report])
        axis.set(xscale="log", xlim=(1e-10, 1), xlabel="|g - d| / (|g| + |d|)")
        for limit in (1e-7, 1e-5, 1e-3):
            axis.axvline(limit, color="0.7", lw=0.8, ls=":")
        for at, word in ((3e-9, "right"), (1e-6, "probably"), (1e-4, "doubtful"), (0.03, "wrong")):
            axis.text(at, len(report) - 0.15, word, fontsize=7, color="0.4", ha="center")
        axis.set_ylim(len(report), -0.7)
        axis.set_title(f"{title}: {report.verdict}", fontsize=11)
    steps = np.geomspace(1e-12, 1, 37)
    flat = x[:given.images].reshape(given.images, -1)
    for dtype, color in (("float32", "#c8501e"), ("float64", "#1f6fb4")):
        errors = errors_by_step(flat, y[:given.images], dtype, steps)
        best = int(np.argmin(errors))
        print(f"In {dtype} a difference is at best {errors[best]:.0e} of the slope off, where weights are moved by "
              f"{steps[best]:.0e}.")
        axes[2].plot(steps, errors, color=color, lw=1.8, label=dtype)
    axes[2].axhline(1e-7, color="0.7", lw=0.8, ls=":")
    axes[2].set(xscale="log", yscale="log", xlabel="how far weights are moved", ylabel="error of the difference")
    axes[2].set_title("how far to move", fontsize=11)
    axes[2].legend(frameon=False, fontsize=9)
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(given.out, dpi=85)
    print(given.out)


if __name__ == "__main__":
    main()
