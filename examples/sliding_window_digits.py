"""A classifier of windows goes over a whole page at once: dense layers become convolutions (sliding windows).

    FASTCNN_DATA=../shared/data python examples/sliding_window_digits.py --out page.png   a quarter of a minute; pillow

A network learns MNIST's digits, and what is none: a part of a digit, or empty paper. Then pages of 400 x 400 pixels
with digits all over are searched. One pass of the converted network answers for every window; non-maximum suppression
leaves a box for each digit. The last lines tell how many digits were found, and how much longer the same answers take
window by window.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import fastcnn as fc
from fastcnn import layers
from fastcnn.vision import boxes

PAGE, WINDOW, NOTHING = 400, 28, 10
GRID = 8  # places for digits along a side of the page


def without(x: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Return windows that hold no whole digit: digits moved by a third and more, some of them empty."""
    moved = np.zeros_like(x)
    for k, image in enumerate(x):
        rows, columns = (int(draw.integers(9, 28)) * int(draw.choice([-1, 1])) for _ in range(2))
        if draw.random() < 0.6:  # along one side only
            rows, columns = (rows, 0) if draw.random() < 0.5 else (0, columns)
        top, left = max(0, rows), max(0, columns)
        source = image[top - rows:WINDOW - top, left - columns:WINDOW - left]
        moved[k, top:top + source.shape[0], left:left + source.shape[1]] = source
    return moved


def train(x: np.ndarray, y: np.ndarray, epochs: int) -> fc.Model:
    """Return a network that tells digits, moved by some pixels, and what is none."""
    fc.utils.set_random_seed(1)
    model = fc.Sequential([
        fc.Input((WINDOW, WINDOW, 1)), layers.Conv2D(16, 5, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2), layers.Flatten(),
        layers.Dense(64, activation="relu"), layers.Dense(11, activation="softmax")])
    model.compile(fc.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=128, epochs=epochs, verbose=2)
    return model


def page_of(x: np.ndarray, y: np.ndarray, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a page, and the boxes and digits on it: some of the places of a grid, a little moved."""
    page, found, digits = np.zeros((PAGE, PAGE, 1), np.float32), [], []
    for place in draw.permutation(GRID * GRID)[:24]:
        top, left = (int(k) * PAGE // GRID + int(draw.integers(0, PAGE // GRID - WINDOW + 1))
                     for k in divmod(int(place), GRID))
        k = int(draw.integers(len(x)))
        page[top:top + WINDOW, left:left + WINDOW] = x[k]
        found.append([left, top, left + WINDOW, top + WINDOW])
        digits.append(int(y[k]))
    return page, np.array(found, np.float32), np.array(digits)


def search(answers: np.ndarray, step: tuple[int, int], least: float) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes and digits, given what the network answers to each window (H', W', 11)."""
    scores, digits = answers[..., :NOTHING].max(-1), answers[..., :NOTHING].argmax(-1)
    rows, columns = np.nonzero(scores > least)
    corners = np.stack([columns * step[1], rows * step[0]], -1).astype(np.float32)
    found = np.concatenate([corners, corners + WINDOW], -1)
    kept = boxes.nms(found, scores[rows, columns], iou_threshold=0.2)
    return found[kept], digits[rows, columns][kept]


def timed(model: fc.Model, x: np.ndarray) -> tuple[np.ndarray, float]:
    """Return predictions, and the seconds of the second time, when kernels are compiled and plans made."""
    model.predict(x, batch_size=256, verbose=0)
    began = time.process_time()
    answers = model.predict(x, batch_size=256, verbose=0)
    return answers, time.process_time() - began


def draw_page(page: np.ndarray, found: np.ndarray, digits: np.ndarray, path: Path) -> None:
    from PIL import Image, ImageDraw

    picture = Image.fromarray(255 - (page[..., 0] * 255).astype(np.uint8)).convert("RGB")
    pen = ImageDraw.Draw(picture)
    for box, digit in zip(found.tolist(), digits.tolist(), strict=True):
        pen.rectangle(box, outline=(200, 40, 40))
        pen.text((box[0] + 2, box[1] + 1), str(digit), fill=(30, 60, 200))
    picture.save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--score", type=float, default=0.9, help="the least that counts")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args()
    draw = np.random.default_rng(0)
    (x, y), (x_test, y_test) = fc.datasets.mnist.load_data()
    x, x_test = (one[..., None].astype(np.float32) / 255 for one in (x[: told.images], x_test))
    y = y[: told.images]
    near = np.stack([np.roll(one, draw.integers(-2, 3, 2), (0, 1)) for one in x])
    model = train(np.concatenate([near, without(x, draw)]), np.concatenate([y, np.full(len(x), NOTHING)]), told.epochs)

    network, step = fc.vision.to_convolutional(model), fc.vision.window_step(model)
    right = wrong = there = 0
    for k in range(told.pages):
        page, where, digits = page_of(x_test, y_test, draw)
        found, named = search(network.predict(page[None], verbose=0)[0], step, told.score)
        overlap = boxes.iou(found, where) if len(found) else np.zeros((0, len(where)))
        hit = (overlap > 0.5) & (named[:, None] == digits)
        right, wrong, there = right + int(hit.any(0).sum()), wrong + int((~hit.any(1)).sum()), there + len(digits)
        if told.out is not None and k == 0:
            draw_page(page, found, named, told.out)
    print(f"found {right} of {there} digits on {told.pages} pages, {wrong} boxes are wrong")

    windows = np.lib.stride_tricks.sliding_window_view(page[..., 0], (WINDOW, WINDOW))[:: step[0], :: step[1]]
    windows = np.ascontiguousarray(windows.reshape(-1, WINDOW, WINDOW, 1))
    (at_once, page_seconds), (one_by_one, seconds) = timed(network, page[None]), timed(model, windows)
    difference = abs(at_once.reshape(-1, 11) - one_by_one).max()
    print(f"{len(windows)} windows, one by one {seconds / page_seconds:.1f} times as long as at once, answers differ "
          f"by {difference:.1e}")


if __name__ == "__main__":
    main()
