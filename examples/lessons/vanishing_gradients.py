"""Vanishing and exploding gradients in a network of 24 layers, and what cures them.

    python examples/lessons/vanishing_gradients.py

On the way back a gradient is multiplied by each layer's weights and by the slope of its activation. The slope of a
sigmoid is 1/4 at most, so through 24 of them next to nothing arrives at the first layer; weights that are too large do
the opposite. The script measures the gradient of each layer's weights before the first step, then trains, and tells
what every network has learned. The cures: Glorot's or He's initialization, which suit the activation, batch
normalization, skips (x + f(x)), and, against gradients that explode, clipping them.

Needs matplotlib: pip install "fastcnn[plot]".
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastcnn as fc
from fastcnn import initializers, layers

Array = NDArray[Any]
Block = Callable[[Any], Any]

DEPTH, WIDTH = 24, 64


def plain(activation: str, initializer: Any = "glorot_uniform") -> Block:
    """Return what one layer of a plain network does."""
    return lambda x: layers.Dense(WIDTH, activation=activation, kernel_initializer=initializer)(x)


def normalized(x: Any) -> Any:
    """Do as one layer of sigmoids after batch normalization."""
    return layers.Activation("sigmoid")(layers.BatchNormalization(momentum=0.9)(layers.Dense(WIDTH)(x)))


def skipping(x: Any) -> Any:
    """Add to x what one layer of sigmoids makes of it."""
    return layers.Add()([x, layers.Dense(WIDTH, activation="sigmoid")(x)])


LARGE = initializers.RandomNormal(stddev=2.2 / WIDTH**0.5)
# A name, what a layer does, the norm that gradients are clipped to, a color.
NETWORKS: list[tuple[str, Block, float | None, str]] = [
    ("sigmoid", plain("sigmoid"), None, "#8a8a8a"),
    ("tanh, weights too large", plain("tanh", LARGE), None, "#c8501e"),
    ("the same, clipped", plain("tanh", LARGE), 0.3, "#c8501e"),
    ("tanh, Glorot's weights", plain("tanh"), None, "#c9a227"),
    ("ReLU, He's weights", plain("relu", "he_normal"), None, "#1f6fb4"),
    ("sigmoid, batch normalization", normalized, None, "#2e8b57"),
    ("sigmoid, skips", skipping, None, "#7a4fa0"),
]


def network(block: Block, inputs: int, clip: float | None) -> fc.Model:
    """Return a network of DEPTH layers."""
    start = fc.Input((inputs,))
    x = layers.Dense(WIDTH)(start)
    for _ in range(DEPTH):
        x = block(x)
    model = fc.Model(start, layers.Dense(10, activation="softmax")(x))
    model.compile(fc.optimizers.SGD(0.01, momentum=0.9, clipnorm=clip), "sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    return model


def gradient_norms(block: Block, x: Array, y: Array) -> Array:
    """Return the norm of the gradient of each layer's weights before the first step."""
    fc.utils.set_random_seed(9)
    model = network(block, x.shape[1], None)
    model.optimizer.learning_rate = 0.0
    model.train_on_batch(x, y)
    kernels = [p for p in model.trainable_weights if p.name == "kernel"][1:-1]
    return np.array([np.linalg.norm(p.grad.astype("float64")) for p in kernels])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--out", type=Path, default=Path("vanishing_gradients.png"))
    given = parser.parse_args(arguments)
    from matplotlib.figure import Figure

    data = fc.datasets.load("digits")
    x, y = np.asarray(data.x_train, "float32").reshape(len(data.x_train), -1) / 16, data.y_train
    figure = Figure(figsize=(10.8, 4.0), layout="constrained")
    norms, learning = figure.subplots(1, 2)
    for name, block, clip, color in NETWORKS:
        found = gradient_norms(block, x[:256], y[:256])
        fc.utils.set_random_seed(9)
        model = network(block, x.shape[1], clip)
        history = model.fit(x, y, batch_size=64, epochs=given.epochs, verbose=0).history["accuracy"]
        print(f"{name:<29} the first layer's gradient is {found[0] / found[-1]:.1e} of the last one's"
              f"{f', clipped to norm {clip:g}' if clip else ''}; {history[-1]:.0%} right after {given.epochs} epochs.")
        if clip is None:
            norms.plot(range(1, DEPTH + 1), found, color=color, lw=1.8)
        learning.plot(range(1, given.epochs + 1), history, color=color, lw=1.8, ls="--" if clip else "-",
                      label=f"{name}: {history[-1]:.0%}")
    norms.set(yscale="log", xlabel="layer", ylabel="norm of the gradient of its weights")
    norms.set_title("before the first step", fontsize=11)
    learning.set(ylim=(0, 1.02), xlabel="epoch", ylabel="training images read rightly")
    learning.xaxis.get_major_locator().set_params(integer=True)
    learning.yaxis.set_major_formatter("{x:.0%}")
    learning.set_title("and what is learned", fontsize=11)
    for axis in (norms, learning):
        axis.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right center", frameon=False, fontsize=9)
    figure.savefig(given.out, dpi=90)
    print(given.out)


if __name__ == "__main__":
    main()
