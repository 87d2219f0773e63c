"""A YOLO finds the cells in photographs of blood: red and white ones and platelets, each with a box, from nothing.

    FASTCNN_DATA=../shared/data python examples/yolo_cells.py             needs pillow
    FASTCNN_DATA=../shared/data python examples/yolo_cells.py --minutes 2    reached mAP@0.5 0.865, @0.5:0.95 0.511

Prior boxes come from the boxes of the data by k-means on IoU (Redmon and Farhadi, "YOLO9000", 2017). A small residual
network gives numbers for three priors in each cell of 16 x 16 pixels; its loss compares boxes by GIoU. Photographs are
flipped, zoomed and coloured anew in each epoch, and boxes follow. The training part and the part for decisions are both
trained on; the test part is looked at once, at the end. The last lines are average precisions there, and the path of a
picture with what was found.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

import fastcnn as fc
from fastcnn import layers
from fastcnn.augmentation import Pipeline
from fastcnn.vision import boxes, detection


class Deadline(fc.callbacks.Callback):
    """Lets the rate fall with the time that is over, and ends the training when it is."""

    def __init__(self, minutes: float, rate: float) -> None:
        super().__init__()
        self.seconds, self.rate = 60 * minutes, rate

    def on_train_begin(self, logs: Any = None) -> None:
        self.began = time.monotonic()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        share = min(1.0, (time.monotonic() - self.began) / self.seconds)
        self.model.optimizer.learning_rate = self.rate * max(0.01, (1 + np.cos(np.pi * share)) / 2)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if time.monotonic() - self.began > self.seconds:
            self.model.stop_training = True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--minutes", type=float, help="train so long, in place of a number of epochs")
    parser.add_argument("--photos", type=int, help="train on so many photographs, and test on a quarter of as many")
    parser.add_argument("--size", type=int, nargs=2, default=(288, 384), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--filters", type=int, default=16, help="of the first layer")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", type=Path, help="write the detector to a file")
    parser.add_argument("--out", type=Path, default=Path("yolo_cells.png"))
    told = parser.parse_args()
    data: Any = fc.datasets.load("bccd", drop_bad=True)
    train = data.train if data.dev is None else data.train.joined(data.dev)
    test = data.test
    if told.photos:
        train, test = train.take(range(told.photos)), test.take(range(max(1, told.photos // 4)))

    fc.utils.set_random_seed(told.seed)
    x, rows = detection.letterboxed(train, tuple(told.size))
    sides, mean = boxes.anchor_sides(rows.rows[:, :4], 3, seed=told.seed)
    print(f"{len(x)} photographs, {len(rows.rows)} cells; prior boxes {sides.round().tolist()}, mean IoU {mean:.3f}")
    cells = detection.YoloCells(tuple(told.size), sides, strides=(16,))
    model = detection.yolo(cells, len(data.classes), filters=told.filters)
    print(f"{model.count_params():,} parameters, {len(cells)} places")
    steps = -(-len(x) // told.batch)
    rate: Any = told.rate if told.minutes else fc.optimizers.schedules.CosineDecay(told.rate, steps * told.epochs,
                                                                                 alpha=0.01)
    model.compile(fc.optimizers.AdamW(rate, weight_decay=0.01), detection.YoloLoss(cells))
    pipeline = Pipeline([layers.RandomFlip(), layers.RandomZoom((-0.25, 0.25), fill_mode="constant"),
                         layers.RandomTranslation(0.1, 0.1, fill_mode="constant"), layers.RandomBrightness(0.15),
                         layers.RandomContrast(0.2)], seed=told.seed)
    model.fit(x, rows, batch_size=told.batch, epochs=10**6 if told.minutes else told.epochs, verbose=2,
              augmentation=pipeline, callbacks=[Deadline(told.minutes, told.rate)] if told.minutes else [])

    detector = detection.Detector(model, cells, data.classes)
    if told.save:
        detector.save(told.save)
    found = detector.evaluate(test)
    detector.detect(test.images[0]).draw(test.images[0], told.out)
    print(f"average precision at IoU 0.5: {', '.join(f'{name} {found[name]:.3f}' for name in data.classes)}")
    print(f"mAP@0.5 {found['AP50']:.4f}, @0.5:0.95 {found['AP']:.4f} on {len(test)} test photographs")
    print(told.out)


if __name__ == "__main__":
    main()
