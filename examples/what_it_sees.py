"""Where a network sees a white blood cell that nobody showed it where to look for: Grad-CAM, saliency, patches.

    FASTCNN_DATA=../shared/data python examples/what_it_sees.py --out seen.png   pillow; half a minute

Crops of blood smears (BCCD) hold a white cell or none. A small network learns to tell which, from that word alone. Then
it is asked why: Grad-CAM shows which part of a crop speaks for a cell. A line tells how often its warmest pixel lies
within the cell's box, which the network has never seen. The picture has a crop a row: as it is, Grad-CAM, saliency,
occlusion; beneath them the nine patches that excite a unit of the last convolution most.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import fastcnn as fc
from fastcnn import layers
from fastcnn.vision import explanations
from fastcnn.vision.explanations import drawing

CROP, SIDE = 320, 80  # pixels of a photograph, and of what the network gets
WHITE_CELL = "WBC"


def crops(part: Any, white: int, seed: int, each: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return crops (n, SIDE, SIDE, 3) from 0 to 1, whether each holds a white cell, and the cell's box in it.

    A crop holds one whole cell or nothing of any; `each` of either kind are taken from a photograph that has them.
    """
    draw = np.random.default_rng(seed)
    images, labels, boxes = [], [], []
    for photo in part:
        height, width = photo.image.shape[:2]
        cells = photo.boxes[photo.classes == white]
        left_over = {0: each, 1: each}
        for _ in range(30 * each):  # tries
            top, left = int(draw.integers(0, height - CROP + 1)), int(draw.integers(0, width - CROP + 1))
            moved = cells - np.array([left, top, left, top], np.float32)
            touched = moved[(moved[:, :2] < CROP).all(1) & (moved[:, 2:] > 0).all(1)]
            label = len(touched)
            if label > 1 or not left_over[label] or (label and (touched.min() < 0 or touched.max() > CROP)):
                continue
            left_over[label] -= 1
            crop = photo.image[top:top + CROP, left:left + CROP].astype(np.float32) / 255
            images.append(crop.reshape(SIDE, CROP // SIDE, SIDE, CROP // SIDE, 3).mean((1, 3)))
            labels.append(label)
            boxes.append(touched[0] * (SIDE / CROP) if label else np.zeros(4))
    return np.stack(images), np.array(labels), np.array(boxes)


def train(x: np.ndarray, y: np.ndarray, epochs: int) -> fc.Model:
    """Return a network that tells whether a crop holds a white cell."""
    fc.utils.set_random_seed(1)
    model = fc.Sequential([
        fc.Input((SIDE, SIDE, 3)), layers.RandomFlip(), layers.Rescaling(2.0, -1.0),
        layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(2), layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2), layers.Conv2D(48, 3, padding="same", activation="relu"),
        layers.Conv2D(64, 3, padding="same", activation="relu", name="last"),
        layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")])
    model.compile(fc.optimizers.AdamW(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=2)
    return model


def within(heat: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return for each map (N, H, W) whether the middle of its largest pixel lies in its box."""
    rows, columns = np.unravel_index(heat.reshape(len(heat), -1).argmax(1), heat.shape[1:])
    left, top, right, bottom = boxes.T
    inside = (left <= columns + 0.5) & (columns + 0.5 < right) & (top <= rows + 0.5) & (rows + 0.5 < bottom)
    return np.asarray(inside)


def picture(model: fc.Model, x: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return a picture of what the network sees in some crops, and of the patches that a unit looks for."""
    heats = (explanations.grad_cam(model, x, 1), explanations.saliency(model, x, 1),
             explanations.occlusion(model, x, 1, window=16, stride=8, value=float(others.mean())))
    rows = [drawing.side_by_side([drawing.enlarged(one) for one in (
        drawing.as_bytes(crop), *(drawing.with_heat(drawing.as_bytes(crop), heat[k]) for heat in heats))])
        for k, crop in enumerate(x)]
    unit = int(model.layers[-1].kernel.value[:, 1].argmax())  # the one that speaks most for a cell
    best = explanations.exciting_patches(model, others, "last", unit)
    patches = drawing.sheet([drawing.enlarged(drawing.as_bytes(one.pixels)) for one in best])
    return drawing.one_below_the_other([*rows, patches])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--photos", type=int, help="train on so many photographs; default: all")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args()
    data = fc.datasets.load("bccd")
    white = data.classes.index(WHITE_CELL)
    learned = data.train.take(np.arange(len(data.train))[: told.photos])
    x, y, _ = crops(learned, white, seed=0, each=3)
    x_test, y_test, boxes = crops(data.test, white, seed=1, each=1)
    print(f"{len(x)} crops to learn from, {y.sum()} with a white cell; {len(x_test)} to test, {y_test.sum()} with one")
    model = train(x, y, told.epochs)
    answers = model.predict(x_test, verbose=0).argmax(1)
    print(f"test accuracy {(answers == y_test).mean():.4f}")
    cells = y_test == 1
    for name, heat in (("saliency", explanations.saliency(model, x_test[cells], 1)),
                       ("Grad-CAM", explanations.grad_cam(model, x_test[cells], 1))):
        print(f"the peak of {name} lies in the cell's box in {within(heat, boxes[cells]).mean():.3f} of "
              f"{cells.sum()} crops")
    if told.out is not None:
        from fastcnn.datasets.rgb import write_picture

        write_picture(told.out, picture(model, x_test[cells][:3], x_test))
        print(told.out)


if __name__ == "__main__":
    main()
