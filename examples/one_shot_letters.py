"""Characters that the network has never seen, each known by a single drawing (one-shot recognition on Omniglot).

    FASTCNN_DATA=../shared/data python examples/one_shot_letters.py        needs pillow

A network learns to draw what shows one character together, and the rest apart (triplet loss with semi-hard mining), on
the characters of some alphabets, turned by quarters to make more. Then it meets the 20 trials of Lake et al.: 20 new
characters, one example and one query of each. It verifies pairs of alphabets it has not seen, too, with a threshold
that was chosen on its own. The last lines are the share of right names, and of right answers on pairs.
"""

import argparse
from typing import Any

import numpy as np

import fastcnn as fc
from fastcnn import layers, losses
from fastcnn.vision import identity

SIDE = 28


def prepared(images: np.ndarray) -> np.ndarray:
    """Return drawings (N, 105, 105, 1), black on white, as (N, 28, 28, 1) with ink 1."""
    ink = 1 - np.asarray(images, np.float32) / 255
    small = fc.ops.image.resize(ink, (SIDE, SIDE), antialias=True)
    return np.asarray(small, np.float32)


def turned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each drawing turned by 0 to 3 quarters, each turn another character."""
    count = int(y.max()) + 1
    return (np.concatenate([np.rot90(x, k, (1, 2)) for k in range(4)]),
            np.concatenate([y + k * count for k in range(4)]))


def network(size: int) -> fc.Model:
    """Return a network from drawings to embeddings of length 1."""
    parts: list[Any] = [fc.Input((SIDE, SIDE, 1)), layers.RandomRotation(0.05, fill_mode="constant"),
                        layers.RandomTranslation(0.1, 0.1, fill_mode="constant"),
                        layers.RandomZoom(0.15, fill_mode="constant")]
    for _ in range(4):
        parts += [layers.Conv2D(64, 3, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
                  layers.MaxPooling2D(2)]
    return fc.Sequential([*parts, layers.Flatten(), layers.Dense(size), layers.UnitNormalization()])


def pairs(part: Any, count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows of first and second drawings, and whether they show one character: half of them do.

    Both are of one alphabet, so that it is no easy question.
    """
    draw = np.random.default_rng(seed)
    alphabets = part.groups[part.labels]
    first = draw.integers(0, len(part), count)
    second = np.empty(count, np.int64)
    same = np.arange(count) % 2 == 0
    for k, row in enumerate(first):
        alike = part.labels == part.labels[row]
        among = np.flatnonzero(alike & (np.arange(len(part)) != row) if same[k] else
                               (alphabets == alphabets[row]) & ~alike)
        second[k] = draw.choice(among)
    return first, second, same


def distances(model: fc.Model, x: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    embeddings = model.predict(x, batch_size=256, verbose=0)
    return np.asarray(((embeddings[first] - embeddings[second]) ** 2).sum(1))


def trained(x: np.ndarray, y: np.ndarray, steps: int, size: int, seed: int) -> fc.Model:
    fc.utils.set_random_seed(seed)
    model = network(size)
    model.compile(fc.optimizers.Adam(fc.optimizers.schedules.CosineDecay(2e-3, steps)), losses.Triplet(0.3))
    x, y = turned(x, y)
    epochs = max(1, steps // 250)
    model.fit(identity.ClassBatches(x, y, 32, 4, batches=max(1, steps // epochs), seed=seed), epochs=epochs, verbose=2)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--verification-steps", type=int, default=2000)
    parser.add_argument("--size", type=int, default=128, help="numbers in an embedding")
    parser.add_argument("--pairs", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    data = fc.datasets.load("omniglot")

    model = trained(prepared(data.train.images), data.train.labels, told.verification_steps, told.size, told.seed)
    found = []
    for part in (data.train, data.test):  # the threshold is chosen on alphabets that were trained on
        first, second, same = pairs(part, told.pairs, seed=0)
        found.append((distances(model, prepared(part.images), first, second), same))
    (near, alike), (far, unseen) = found
    threshold = identity.choose_threshold(near, alike)
    accuracy = ((far <= threshold) == unseen).mean()

    whole = data.train.joined(data.test)
    print(f"learning from {len(whole)} drawings of {len(whole.names)} characters")
    model = trained(prepared(whole.images), whole.labels, told.steps, told.size, told.seed)
    each = identity.one_shot_accuracy(model, data.runs, prepared)
    print(f"verification of pairs of {len(data.test.group_names)} alphabets not seen: {accuracy:.4f} at threshold "
          f"{threshold:.3f}")
    print(f"one-shot accuracy among 20, in {len(each)} trials: {each.mean():.4f}, the worst {each.min():.2f}")


if __name__ == "__main__":
    main()
