"""Whether a photograph of blood holds a white cell, and where: presence and box out of one network (localization).

    FASTCNN_DATA=../shared/data python examples/localization.py --out localized.png     a minute of a core; needs pillow

The network learns from windows of photographs that hold one white cell or none (BCCD), and its loss is the one of the
course: presence and box count where there is a cell, presence alone where there is none. So one output decides whether
the other counts, and the loss sees both (`fastcnn.losses.JointLoss`). Each side of the box is the mean place of a map,
weighted by its softmax. The last line tells the mean IoU of the boxes on whole photographs of the test part with one
white cell; it was 0.850.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import fastcnn as fc
from fastcnn import layers, losses, ops
from fastcnn.vision import boxes as boxing

HEIGHT, WIDTH = 144, 192  # of what the network gets: three tenths of a photograph
WHITE_CELL = "WBC"
NONE = np.zeros((0, 5), np.float32)


class PresenceAndBox(losses.JointLoss):
    """(p - p')^2 + p sum((b - b')^2), with sides as shares of the picture's.

    Parameters
    ----------
    box_gain : float
        What the second term is multiplied by.
    """

    def __init__(self, box_gain: float = 1.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.box_gain = box_gain

    def call(self, y_true: Any, y_pred: Any) -> Any:
        (rows,), (presence, box) = y_true, y_pred
        sides, there = rows[:, 0, :4], ops.cast(rows[:, 0, 4] >= 0, rows.dtype)  # rows of -1 stand for none
        apart = (sides - box) / np.array([WIDTH, HEIGHT, WIDTH, HEIGHT], np.float32)
        return (presence[:, 0] - there) ** 2 + self.box_gain * there * ops.sum(apart ** 2, axis=-1)


def windows(part: Any, white: int, each: int, seed: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return windows of photographs (n, HEIGHT, WIDTH, 3), and the row of the white cell of each, or none.

    Of every photograph there are `each` windows with one whole cell and as many without any, where such can be found.
    """
    from PIL import Image

    draw = np.random.default_rng(seed)
    images, rows = [], []
    for photo in part:
        height, width = photo.image.shape[:2]
        cells, picture = photo.boxes[photo.classes == white], Image.fromarray(photo.image)
        left_over = [each, each]
        for _ in range(40 * each):  # tries
            share = draw.uniform(0.4, 1.0)
            left, top = draw.uniform(0, (1 - share) * width), draw.uniform(0, (1 - share) * height)
            window = np.array([left, top, left + share * width, top + share * height])
            touched = cells[(cells[:, :2] < window[2:]).all(1) & (cells[:, 2:] > window[:2]).all(1)]
            whole = bool(((touched[:, :2] >= window[:2]) & (touched[:, 2:] <= window[2:])).all())
            if len(touched) > 1 or not whole or not left_over[len(touched)]:
                continue
            left_over[len(touched)] -= 1
            images.append(np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR, window.tolist())))
            rows.append(moved(touched, window))
    return np.stack(images), rows


def moved(cells: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Return boxes of a photograph as rows x1, y1, x2, y2, 0 of a window of it, in the network's pixels."""
    if not len(cells):
        return NONE
    scale = np.array([WIDTH, HEIGHT]) / (window[2:] - window[:2])
    sides = (cells.reshape(-1, 2, 2) - window[:2]) * scale
    return np.column_stack([sides.reshape(-1, 4), np.zeros(len(cells))]).astype(np.float32)


def photographs(part: Any, white: int) -> tuple[np.ndarray, np.ndarray]:
    """Return whole photographs with one white cell (n, HEIGHT, WIDTH, 3), and its box in them (n, 4)."""
    from PIL import Image

    chosen = [photo for photo in part if (photo.classes == white).sum() == 1]
    images = [np.asarray(Image.fromarray(photo.image).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))
              for photo in chosen]
    rows = [moved(photo.boxes[photo.classes == white], np.array([0, 0, *photo.image.shape[1::-1]])) for photo in chosen]
    return np.stack(images), np.concatenate(rows)[:, :4]


def network() -> fc.Model:
    """Return a network from pictures to presence (1,) and a box (4,), in pixels."""
    x = inputs = fc.Input((HEIGHT, WIDTH, 3))
    x = layers.Rescaling(1 / 127.5, -1)(x)
    fine = None
    for filters, strides in ((16, 2), (32, 2), (32, 1), (48, 2), (64, 2), (64, 1)):
        x = layers.Conv2D(filters, 3, strides, "same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        fine = x if filters == 32 else fine  # a quarter of the picture
    presence = layers.Dense(1, "sigmoid", name="presence")(layers.GlobalMaxPooling2D()(x))
    rows, columns = HEIGHT // 4, WIDTH // 4
    x = layers.Conv2D(32, 1)(x)
    x = layers.UpSampling2D(4, interpolation="bilinear")(x)
    x = layers.Concatenate()([x, fine])
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(layers.Conv2D(32, 3, padding="same", use_bias=False)(x)))
    maps = layers.Softmax(axis=(1, 2))(layers.Conv2D(4, 3, padding="same")(x))  # one in all, for each side
    across = np.linspace(0, WIDTH, columns, dtype=np.float32)[None, :]
    down = np.linspace(0, HEIGHT, rows, dtype=np.float32)[:, None]
    places = np.stack(np.broadcast_arrays(across, down, across, down), axis=-1).astype(np.float32)
    box = layers.Identity(name="box")(ops.sum(maps * places, axis=(1, 2)))
    return fc.Model(inputs, [presence, box])


def train(x: np.ndarray, rows: list[np.ndarray], epochs: int, rate: float, seed: int) -> fc.Model:
    """Return a network that was trained on windows and their rows."""
    fc.utils.set_random_seed(seed)
    model = network()
    offsets = np.append(0, np.cumsum([len(one) for one in rows]))
    targets = fc.data.RaggedRows(np.concatenate([NONE, *rows]), offsets, "boxes")
    steps = epochs * -(-len(x) // 32)
    model.compile(fc.optimizers.AdamW(fc.optimizers.schedules.CosineDecay(rate, steps), weight_decay=0.01),
                  PresenceAndBox(box_gain=5.0))
    pipeline = fc.augmentation.Pipeline([layers.RandomFlip(), layers.RandomBrightness(0.15),
                                         layers.RandomContrast(0.2)], seed=seed)
    model.fit(x, targets, batch_size=32, epochs=epochs, verbose=2, augmentation=pipeline)
    return model


def draw_boxes(images: np.ndarray, found: np.ndarray, told: np.ndarray, path: Path) -> None:
    """Write a picture of photographs with the box that was found, and the one that was told, in white."""
    from PIL import Image, ImageDraw

    across, scale = 4, 2
    whole = Image.new("RGB", (across * WIDTH * scale, -(-len(images) // across) * HEIGHT * scale))
    for k, (image, own, right) in enumerate(zip(images, found, told, strict=True)):
        tile = Image.fromarray(image).resize((WIDTH * scale, HEIGHT * scale))
        pen = ImageDraw.Draw(tile)
        pen.rectangle((right * scale).tolist(), outline="white")
        pen.rectangle((own * scale).tolist(), outline=(230, 159, 0), width=3)
        whole.paste(tile, (k % across * WIDTH * scale, k // across * HEIGHT * scale))
    whole.save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--each", type=int, default=3, help="windows with and without a cell of every photograph")
    parser.add_argument("--photos", type=int, help="train on so many photographs; default: all")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dev", action="store_true", help="measure on the part for decisions, and do not train on it")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args()
    data: Any = fc.datasets.load("bccd", drop_bad=True)
    white = data.classes.index(WHITE_CELL)
    learned, measured = (data.train, data.dev) if told.dev else (data.train.joined(data.dev), data.test)
    if told.photos:
        learned = learned.take(range(told.photos))
    x, rows = windows(learned, white, told.each, told.seed)
    print(f"{len(x)} windows to learn from, {sum(map(len, rows))} with a white cell")
    model = train(x, rows, told.epochs, told.rate, told.seed)

    others, other_rows = windows(measured, white, 1, told.seed)
    presence = model.predict(others, verbose=0)[0][:, 0] > 0.5
    right = presence == np.array([len(one) > 0 for one in other_rows])
    print(f"presence is right in {right.mean():.3f} of {len(others)} windows of other photographs")
    images, boxes = photographs(measured, white)
    presence, found = model.predict(images, verbose=0)
    print(f"and in {(presence > 0.5).mean():.3f} of {len(images)} photographs with one white cell")
    overlaps = np.diagonal(boxing.iou(found, boxes))
    if told.out is not None:
        draw_boxes(images[:8], found[:8], boxes[:8], told.out)
        print(told.out)
    print(f"mean IoU {overlaps.mean():.4f}, smallest {overlaps.min():.3f}, above 0.5 in {(overlaps > 0.5).mean():.3f}")


if __name__ == "__main__":
    main()
