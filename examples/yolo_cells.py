"""A YOLO finds the cells in photographs of blood: red and white ones and platelets, each with a box, from nothing.

    FASTCNN_DATA=../shared/data python examples/yolo_cells.py             reached mAP@0.5 0.909 (needs pillow)
    FASTCNN_DATA=../shared/data python examples/yolo_cells.py --dev       for choices: the test part is not looked at
    fastcnn train --dataset bccd --model yolo --dev 0 --out cells         the same on the command line

Prior boxes come from the boxes of the data by k-means on IoU (Redmon and Farhadi, "YOLO9000", 2017). A small residual
network gives numbers for three priors in each cell of three grids, of 8, 16 and 32 pixels; its loss compares boxes by
GIoU. Photographs are mirrored, zoomed, moved and coloured anew in each epoch, and boxes follow. What is found is the
mean over a photograph and its three mirror images. The training part and the part for decisions are both trained on;
the test part is looked at once, at the end. Three seeds reached mAP@0.5 0.909, 0.904 and 0.907, and @0.5:0.95 0.575,
0.569 and 0.574, each after 4.7 minutes of CPU time; to find cells takes 37 ms of it a photograph. The last lines are
these figures, and the path of a picture with what was found.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import fastcnn as fc
from fastcnn.vision import detection


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", action="store_true", help="train on the training part, test on that for decisions")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--minutes", type=float, help="train so long, in place of a number of epochs")
    parser.add_argument("--photos", type=int, help="train on so many photographs, and test on a quarter of as many")
    parser.add_argument("--size", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"), help="default: 288 384")
    parser.add_argument("--filters", type=int, default=16, help="of the first layer")
    parser.add_argument("--block", default="residual", help='or "repvgg", "elan"')
    parser.add_argument("--strides", type=int, nargs="+", default=(8, 16, 32), help="of the grids")
    parser.add_argument("--rate", type=float, default=2e-3, help="the highest")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", type=Path, help="write the detector to a file")
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    parser.add_argument("--out", type=Path, default=Path("yolo_cells.png"))
    told = parser.parse_args()
    data: Any = fc.datasets.load("bccd", drop_bad=True)
    train, test = (data.train, data.dev) if told.dev else (data.train.joined(data.dev), data.test)
    if told.photos:
        train, test = train.take(range(told.photos)), test.take(range(max(1, told.photos // 4)))

    recipe = detection.yolo_recipe(train, seed=told.seed, size=told.size and tuple(told.size), learning_rate=told.rate,
                                   filters=told.filters, block=told.block, strides=told.strides)
    print(f"{len(train)} photographs, {len(train.boxes)} cells")
    print(*recipe.notes, sep="\n")
    print(f"{recipe.model.count_params():,} parameters")
    begun = time.process_time()
    recipe.fit(told.epochs, minutes=told.minutes, verbose=2)
    minutes = (time.process_time() - begun) / 60

    detector = recipe.finish()
    if told.dev:
        chosen = detector.choose_threshold(test)
        print(f"boxes with a score above {chosen.threshold:.3f} are told: precision {chosen.precision:.3f}, recall "
              f"{chosen.recall:.3f}, F1 {chosen.f1:.3f}")
    if told.save:
        detector.save(told.save)
    begun = time.process_time()
    found = detector.evaluate(test)
    each = (time.process_time() - begun) / len(test)
    detector.detect(test.images[0]).draw(test.images[0], told.out)
    if told.json:
        told.json.write_text(json.dumps({"seed": told.seed, "cpu_minutes": minutes, **found}, indent=1) + "\n")
    print(f"trained in {minutes:.1f} minutes of CPU time; {1000 * each:.0f} ms of it a photograph to find cells")
    each_class = ", ".join(f"{name} {found[name]:.3f}" for name in data.classes if name in found)
    print(f"average precision at IoU 0.5: {each_class}")
    print(f"mAP@0.5 {found['AP50']:.4f}, @0.5:0.95 {found['AP']:.4f} on {len(test)} "
          f"{'photographs for decisions' if told.dev else 'test photographs'}")
    print(told.out)


if __name__ == "__main__":
    main()
