"""A Mask R-CNN marks the nuclei of cells one by one, from nothing.

    FASTCNN_DATA=../shared/data python examples/mask_rcnn_nuclei.py             needs pillow
    12 epochs reach an instance AP@0.5 of 0.786, after 220 s of CPU time

A Faster R-CNN finds the nuclei; a third head cuts 14 x 14 features out of each box and makes a mask of 28 x 28 pixels
of it (He et al., "Mask R-CNN", 2017), which is pasted back into the picture. All three losses learn from the same maps
of instances, which are flipped, turned and zoomed with their pictures. The last lines are the average precision of the
instances of the test part, TP / (TP + FP + FN), and the path of a picture with them.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

import fastcnn as fc
from fastcnn import layers
from fastcnn.augmentation import Pipeline
from fastcnn.metrics import InstanceAP
from fastcnn.vision import boxes, rcnn


def stretched(pictures: np.ndarray) -> np.ndarray:
    """Return pictures whose darkest hundredth is black and whose brightest white: some are nearly dark."""
    low, high = np.percentile(pictures, (1, 99.8), axis=(1, 2), keepdims=True)
    shown: np.ndarray = np.clip((pictures - low) * (255 / np.maximum(high - low, 1)), 0, 255).astype(np.uint8)
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--pictures", type=int, help="train on so many pictures, and test on a quarter of as many")
    parser.add_argument("--dev", action="store_true", help="train on the first four fifths, look at the others")
    parser.add_argument("--filters", type=int, default=16, help="of the first layer")
    parser.add_argument("--regions", type=int, default=128)
    parser.add_argument("--mask-filters", type=int, default=16)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", type=Path, help="write the detector to a file")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--out", type=Path, default=Path("mask_rcnn_nuclei.png"))
    told = parser.parse_args()
    data: Any = fc.datasets.load("nuclei-dsb2018")
    train, test = data.train if data.dev is None else data.train.joined(data.dev), data.test
    if told.dev:
        train, test = train.take(range(0, 4 * len(train) // 5)), train.take(range(4 * len(train) // 5, len(train)))
    if told.pictures:
        train, test = train.take(range(told.pictures)), test.take(range(max(1, told.pictures // 4)))
    fc.utils.set_random_seed(told.seed)
    x, maps = train.arrays()
    x, size = stretched(x), x.shape[1:3]
    sides, mean = boxes.anchor_sides(train.boxed().boxes, 3, seed=told.seed)
    grid = rcnn.AnchorGrid(size, sides, stride=4)
    told_sides = sides.round().tolist()
    print(f"{len(x)} pictures, {len(train.boxed().boxes)} nuclei; anchors {told_sides}, mean IoU {mean:.3f}")
    model = rcnn.mask_rcnn(grid, 1, channels=x.shape[3], filters=told.filters, regions=told.regions, hidden=128,
                           proposal_iou=0.5, mask_filters=told.mask_filters)
    print(f"{model.count_params():,} parameters, {model.multiply_adds() / 1e6:,.0f} M multiply-adds")
    steps = -(-len(x) // told.batch)
    rate = fc.optimizers.schedules.CosineDecay(0.01 * told.rate, max(1, steps * (told.epochs - 1)), alpha=0.01,
                                             warmup_target=told.rate, warmup_steps=steps)
    model.compile(fc.optimizers.AdamW(rate, weight_decay=0.01), {
        "proposals": rcnn.ProposalLoss(grid, positive=0.6), "regions": rcnn.RegionLoss(count=told.regions, share=0.5),
        "masks": rcnn.MaskLoss(count=told.regions)})
    pipeline = Pipeline([layers.RandomFlip(), layers.RandomRotation(0.5, fill_mode="constant"),
                         layers.RandomZoom((-0.25, 0.25), fill_mode="constant"), layers.RandomContrast(0.2)],
                        seed=told.seed)
    began = time.process_time()
    model.fit(x, dict.fromkeys(model.output_names, maps), batch_size=told.batch, epochs=told.epochs, verbose=2,
              augmentation=pipeline)
    seconds = time.process_time() - began

    detector = rcnn.RegionDetector(model, ("nucleus",), max_detections=told.regions)
    if told.save:
        detector.save(told.save)
    pictures, truth = test.arrays()
    pictures = stretched(pictures)
    found = detector.detect(list(pictures))
    metric = InstanceAP([0.5, 0.7])
    metric.update_state(truth, np.stack([one.instances() for one in found]))
    half, more = metric.results()["AP"].tolist()
    usual = pictures[np.argsort([one.max() for one in truth], kind="stable")[len(truth) // 2]]
    large = usual.repeat(4, 0).repeat(4, 1)  # names stand beside the nuclei there
    detector.detect(large).draw(large, told.out, line=1)
    print(f"{sum(map(len, found))} nuclei found of {sum(len(np.unique(one)) - 1 for one in truth)}")
    print(f"instance AP@0.5 {half:.4f}, @0.7 {more:.4f} on {len(test)} pictures, {seconds:.0f} s of CPU")
    print(told.out)
    if told.json:
        told.json.write_text(json.dumps({"AP50": half, "AP70": more, "seconds": seconds}))


if __name__ == "__main__":
    main()
