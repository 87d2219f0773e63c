"""A network on a signal: which rhythm a noisy electrocardiogram shows, from three seconds of it.

    python examples/signal_1d.py

The recordings are synthetic, with the same seed each time: every beat is a sum of Gaussian waves (P, Q, R, S, T, after
McSharry et al., 2003), on top of breathing, mains hum and the noise of muscles. Causal convolutions, dilated 1, 2, 4
and 8 times, look back over 1.2 seconds without pooling. It ends with the accuracy on recordings that training has not
seen and the path of a picture: one recording of each class, what the network says of it, and what is taken for what.

Needs matplotlib: pip install "fastcnn[plot]".

References
----------
McSharry, Clifford, Tarassenko, Smith: A dynamical model for generating synthetic electrocardiogram signals, IEEE
Transactions on Biomedical Engineering 50, 2003, table I.
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np

import fastcnn as fc
from fastcnn import layers

matplotlib.use("Agg")

RATE, LENGTH = 100, 300  # samples a second, samples of a recording
CLASSES = ("normal", "premature ventricular beat", "atrial fibrillation", "raised ST segment")
# Place (seconds from the R wave), height (millivolts) and width (seconds) of the waves of one beat.
WAVES = {"P": (-0.17, 0.15, 0.025), "Q": (-0.03, -0.12, 0.01), "R": (0.0, 1.0, 0.011), "S": (0.03, -0.22, 0.01),
         "T": (0.26, 0.3, 0.045)}
VENTRICULAR = {"R": (0.0, 0.9, 0.05), "S": (0.12, -0.5, 0.05), "T": (0.32, -0.3, 0.06)}  # wide, and no P before it


def record(draw: np.random.Generator, label: int) -> np.ndarray:
    """Return one recording (LENGTH,) in millivolts."""
    t = np.arange(LENGTH) / RATE
    y = np.zeros(LENGTH)
    period = draw.uniform(0.6, 1.0)
    irregular = 0.2 if label == 2 else 0.04
    beats = -draw.uniform(0.2, 0.8) + np.cumsum(np.maximum(0.4, period * draw.normal(1, irregular, 8)))
    early = draw.choice(np.flatnonzero((beats > 0.4) & (beats < 2.5))) if label == 1 else -1
    size = draw.normal(1, 0.1)
    for number, beat in enumerate(beats):
        waves = dict(WAVES)
        if number == early:
            waves, beat = VENTRICULAR, beat - 0.25 * period
        elif label == 2:
            del waves["P"]
        elif label == 3:
            waves["ST"] = (0.13, 0.12, 0.06)
        for place, height, width in waves.values():
            height = size * height * draw.normal(1, 0.1)
            y += height * np.exp(-0.5 * ((t - beat - place) / width) ** 2)
    if label == 2:  # the atria flicker
        y += 0.04 * np.sin(2 * np.pi * draw.uniform(5, 8) * t + draw.uniform(0, 6))
    y += 0.2 * np.sin(2 * np.pi * draw.uniform(0.15, 0.4) * t + draw.uniform(0, 6))  # breathing
    y += 0.03 * np.sin(2 * np.pi * (50.2 if draw.random() < 0.5 else 49.8) * t + draw.uniform(0, 6))  # mains
    return y + draw.normal(0, draw.uniform(0.05, 0.15), LENGTH)


def make(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return recordings (N, LENGTH, 1) and labels (N,), as many of each class."""
    draw = np.random.default_rng(seed)
    y = draw.permutation(np.arange(count) % len(CLASSES))
    return np.stack([record(draw, label) for label in y])[..., None].astype("float32"), y


def network() -> fc.Sequential:
    """Return a network of signals (LENGTH, 1); its training is short, so normalization looks back on fewer steps."""
    model = fc.Sequential([fc.Input((LENGTH, 1))], name="rhythm")
    model.add(layers.Conv1D(16, 7, strides=2, padding="causal", use_bias=False))
    for dilation in (1, 2, 4, 8):
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.Conv1D(32, 5, dilation_rate=dilation, padding="causal", use_bias=False))
    for layer in (layers.BatchNormalization(momentum=0.9), layers.ReLU(), layers.GlobalAveragePooling1D(),
                  layers.Dense(len(CLASSES), activation="softmax")):
        model.add(layer)
    return model


def draw_picture(x: np.ndarray, y: np.ndarray, probabilities: np.ndarray, out: Path) -> None:
    """Write the picture: a recording of each class with its reading, and the matrix of confusions in per cent."""
    from matplotlib import pyplot as plt

    guess, classes = probabilities.argmax(-1), range(len(CLASSES))
    figure = plt.figure(figsize=(12, 6.5), layout="constrained")
    grid = figure.add_gridspec(len(CLASSES), 2, width_ratios=(3, 2))
    for label in classes:
        axis = figure.add_subplot(grid[label, 0], ylim=(-1.2, 2))
        one = int(np.argmax(y == label))
        axis.plot(np.arange(LENGTH) / RATE, x[one, :, 0], color="0.2", linewidth=0.9)
        axis.set_title(f"{CLASSES[label]}: read as {CLASSES[guess[one]]}, {probabilities[one, guess[one]]:.0%}",
                       fontsize=10, loc="left", color="0.15" if guess[one] == label else "firebrick")
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_ylabel("mV")
        axis.tick_params(labelbottom=label == classes[-1])
    axis.set_xlabel("seconds")
    axis = figure.add_subplot(grid[:, 1])
    table = np.array([[100 * np.mean(guess[y == label] == other) for other in classes] for label in classes])
    axis.imshow(table, cmap="Blues", vmin=0, vmax=100)
    for label in classes:
        for other in classes:
            axis.text(other, label, f"{table[label, other]:.1f}", ha="center", va="center",
                      color="white" if table[label, other] > 50 else "0.2")
    short = [name.replace(" ", "\n") for name in CLASSES]
    axis.set_xticks(classes, short, fontsize=9)
    axis.set_yticks(classes, short, fontsize=9)
    axis.set_xlabel("read as")
    axis.set_title(f"per cent of each class, {len(y)} recordings", fontsize=10)
    figure.savefig(out, dpi=120)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, default=4000, help="to train on (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("signal_1d.png"))
    given = parser.parse_args()
    fc.utils.set_random_seed(7)

    x_train, y_train = make(given.recordings, seed=0)
    x_test, y_test = make(1000, seed=1)
    model = network()
    model.summary()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=32, epochs=given.epochs)
    probabilities = model.predict(x_test, batch_size=250)
    print(f"test accuracy {np.mean(probabilities.argmax(-1) == y_test):.4f}")
    draw_picture(x_test, y_test, probabilities, given.out)
    print(given.out)


if __name__ == "__main__":
    main()
