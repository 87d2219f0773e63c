"""Bias and variance read off four errors: those of people, on training images, on others like them, and on dev images.

    python examples/lessons/bias_and_variance.py

Three gaps say what to do next. From people to the training images it is avoidable bias: a larger network, or a longer
training. From these to other images of the same kind (train-dev) it is variance: more images, or regularization. From
there to the dev images it is mismatch: they are of another kind, and training images should become more like them. The
script makes one network for each fault, and one without, and reads the gaps. A gap counts if it is larger than 2 % and
than twice its standard error, since errors of some hundred images are not exact.

Needs matplotlib: pip install "fastcnn[plot]".
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import fastcnn as fc
from fastcnn import layers

Array = NDArray[Any]

GAPS = {
    "avoidable bias": ("#c8501e", "train a larger network, or longer"),
    "variance": ("#1f6fb4", "get more images, or regularize"),
    "mismatch": ("#7a4fa0", "make training images more like the dev images"),
}
LEAST = 0.02


class Study(NamedTuple):
    """A network, so many training images for it, and how training and dev images are changed."""

    name: str
    large: bool
    images: int
    augmented: bool = False
    other_kind: bool = False


STUDIES = [Study("a network too small", False, 1000), Study("too few images", True, 60),
           Study("dev images of another kind", True, 1000, other_kind=True),
           Study("none of these, and augmentation", True, 1000, augmented=True)]


def network(study: Study) -> fc.Sequential:
    """Return a convolutional network, or one that makes two numbers of each image."""
    between: list[Any] = [layers.Flatten(), layers.Dense(2, activation="tanh")]
    if study.large:
        change = [layers.RandomRotation(0.03), layers.RandomTranslation(0.1, 0.1)] if study.augmented else []
        between = [*change, layers.Conv2D(32, 3, activation="relu"), layers.Conv2D(32, 3, activation="relu"),
                   layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(64, activation="relu")]
    model = fc.Sequential([fc.Input((8, 8, 1)), *between, layers.Dense(10, activation="softmax")])
    model.compile(fc.optimizers.Adam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def of_another_kind(x: Array) -> Array:
    """Return images as a careless camera would take them: turned, moved and noisy."""
    layer = fc.Sequential([fc.Input((8, 8, 1)), layers.RandomRotation(0.06, seed=1), layers.RandomTranslation(
        0.1, 0.1, seed=2), layers.GaussianNoise(0.15, seed=3)])
    return np.asarray(layer(x, training=True))


def gap_of(before: tuple[float, int], after: tuple[float, int]) -> tuple[float, bool]:
    """Return the gap between two errors, each with the images it was counted on, and whether it counts."""
    gap = after[0] - before[0]
    deviation = sum(error * (1 - error) / images for error, images in (before, after) if images) ** 0.5
    return gap, gap > max(LEAST, 2 * deviation)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--human-error", type=float, default=0.01, help="of people, as a guess (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=1000, help="of 32 images (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("bias_and_variance.png"))
    given = parser.parse_args(arguments)
    from matplotlib.figure import Figure

    data = fc.datasets.load("digits")
    x = np.concatenate([data.x_train, data.x_test]).astype("float32") / 16
    y = np.concatenate([data.y_train, data.y_test])
    order = np.random.default_rng(3).permutation(len(x))
    x, y = x[order], y[order]
    like_them, dev = slice(1000, 1400), slice(1400, None)
    figure = Figure(figsize=(10.4, 3.9), layout="constrained")
    axis = figure.subplots()
    for row, study in enumerate(STUDIES):
        fc.utils.set_random_seed(2)
        model, train = network(study), slice(0, study.images)
        steps = -(-study.images // 32)
        model.fit(x[train], y[train], batch_size=32, epochs=max(1, given.steps // steps), verbose=0)
        parts = {"training": (x[train], y[train]), "train-dev": (x[like_them], y[like_them]),
                 "dev": (of_another_kind(x[dev]) if study.other_kind else x[dev], y[dev])}
        errors = {"people": (given.human_error, 0)} | {
            name: (1 - model.evaluate(*part, batch_size=256)[1], len(part[1])) for name, part in parts.items()}
        told = list(errors.values())
        gaps = dict(zip(GAPS, map(gap_of, told, told[1:]), strict=False))
        counts = [name for name, (_, is_clear) in gaps.items() if is_clear]
        largest = max(counts, key=lambda name: gaps[name][0], default=None)
        say = "no gap counts" if largest is None else f"{largest}: {GAPS[largest][1]}"
        print(f"{study.name}: " + ", ".join(f"{name} {error:.1%}" for name, (error, _) in errors.items())
              + f". So {say}.")
        _bar(axis, row, study.name, given.human_error, {name: gap for name, (gap, _) in gaps.items()}, say)
    axis.set(yticks=range(len(STUDIES)), yticklabels=[study.name for study in STUDIES], xlabel="error", xlim=(0, 1))
    axis.invert_yaxis()
    axis.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axis.spines[["top", "right"]].set_visible(False)
    handles, names = axis.get_legend_handles_labels()
    axis.legend(handles[:4], names[:4], frameon=False, loc="lower right", fontsize=9.5)
    figure.savefig(given.out, dpi=95)
    print(given.out)


def _bar(axis: Any, row: int, name: str, human: float, gaps: dict[str, float], say: str) -> None:
    """Draw the gaps of one network side by side, those that are there, and what they say."""
    axis.barh(row, human, height=0.42, color="0.6", label="error of people")
    end = human
    for gap, (color, _) in GAPS.items():
        wide = max(0.0, gaps[gap])
        axis.barh(row, wide, left=end, height=0.42, color=color, label=gap)
        if wide > 0.05:
            axis.text(end + wide / 2, row, f"{wide:.1%}", color="white", ha="center", va="center", fontsize=9)
        end += wide
    axis.text(end + 0.008, row, say, va="center", fontsize=9.5)


if __name__ == "__main__":
    main()
