"""A Faster R-CNN finds the cells in photographs of blood, each with a box and its kind, from nothing.

    FASTCNN_DATA=../shared/data python examples/faster_rcnn_cells.py             needs pillow
    24 epochs reach mAP@0.5 0.904, @0.5:0.95 0.588, after 194 s of CPU time

A region proposal network tells of anchors whether there is a cell; the best 64 boxes are cut out of the features, and
dense layers tell the class and move the box (Ren et al., "Faster R-CNN", 2015). Both stages are one model with two
losses, trained together by `fit`. Photographs are flipped, zoomed and coloured anew in each epoch, and boxes follow.
The training part and the part for decisions are both trained on; the test part is looked at once, at the end. The last
lines are average precisions there, and the path of a picture with what was found. Beside it stands `rcnn_family.py`,
with the two that came before.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import fastcnn as fc
from fastcnn.vision import rcnn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--photos", type=int, help="train on so many photographs, and test on a quarter of as many")
    parser.add_argument("--size", type=int, nargs=2, default=(288, 384), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--filters", type=int, default=16, help="of the first layer")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", type=Path, help="write the detector to a file")
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    parser.add_argument("--out", type=Path, default=Path("faster_rcnn_cells.png"))
    told = parser.parse_args()
    data: Any = fc.datasets.load("bccd", drop_bad=True)
    train = data.train if data.dev is None else data.train.joined(data.dev)
    test = data.test
    if told.photos:
        train, test = train.take(range(told.photos)), test.take(range(max(1, told.photos // 4)))

    recipe = rcnn.faster_rcnn_recipe(train, seed=told.seed, size=tuple(told.size), epochs=told.epochs,
                                     learning_rate=told.rate, filters=told.filters)
    print(f"{len(train)} photographs, {len(train.boxes)} cells; {recipe.notes[0]}")
    print(f"{recipe.model.count_params():,} parameters, {recipe.model.multiply_adds() / 1e6:,.0f} M multiply-adds")
    began = time.process_time()
    recipe.fit(verbose=2)
    seconds = time.process_time() - began

    detector = recipe.finish()
    if told.save:
        detector.save(told.save)
    found = detector.evaluate(test)
    detector.detect(test.images[0]).draw(test.images[0], told.out)
    print(f"trained in {seconds:.0f} s of CPU time")
    print(f"average precision at IoU 0.5: "
          f"{', '.join(f'{name} {found[name]:.3f}' for name in data.classes if name in found)}")
    print(f"mAP@0.5 {found['AP50']:.4f}, @0.5:0.95 {found['AP']:.4f} on {len(test)} test photographs")
    print(told.out)
    if told.json:
        told.json.write_text(json.dumps({key: float(value) for key, value in found.items()} | {"seconds": seconds}))


if __name__ == "__main__":
    main()
