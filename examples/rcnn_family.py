"""Three generations of R-CNN on the same 50 photographs of blood cells: what each of them brought.

    FASTCNN_DATA=../shared/data python examples/rcnn_family.py       needs opencv-contrib-python-headless and pillow
    --only fast --epochs 6 --dev --test 20: recall 0.743, mAP@0.5 0.716; of its 0.65 s a photograph the search takes 0.6

R-CNN (2014) cuts out each proposal of selective search and runs a network on it by itself. Fast R-CNN (2015) runs the
convolutions once for a photograph, and pools the features of each proposal. Faster R-CNN (2015) lets a small network on
the same features propose. The table tells how many boxes of a photograph are looked at, how long it takes with a
processor for itself, and the mean average precision on the test part, at which is looked once.
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
from fastcnn.vision import boxes, detection, rcnn


class Searched:
    """Selective search that remembers: training, test and the three networks look at the same photographs."""

    def __init__(self, count: int) -> None:
        self.count, self._known = count, dict[bytes, np.ndarray]()

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        key = picture.tobytes()
        if key not in self._known:
            self._known[key] = rcnn.selective_search(picture, self.count)
        return self._known[key]


def flipped(x: np.ndarray, found: list[np.ndarray], rows: list[np.ndarray]) -> tuple[Any, Any, Any]:
    """Return photographs, proposals and objects as they are, and mirrored across, down, and both."""
    height, width = x.shape[1:3]
    pictures, proposals, objects = list[np.ndarray](), list[np.ndarray](), list[np.ndarray]()
    for across, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        pictures.append(x[:, ::-1 if down else 1, ::-1 if across else 1])
        for before, after in ((found, proposals), (rows, objects)):
            for one in before:
                turned = one.copy()
                if across:
                    turned[:, [0, 2]] = width - one[:, [2, 0]]
                if down:
                    turned[:, [1, 3]] = height - one[:, [3, 1]]
                after.append(turned)
    return np.concatenate(pictures), proposals, objects


def chosen(proposals: np.ndarray, objects: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return the objects and `count` less so many proposals: a third that overlap with objects, and others."""
    draw, overlap = np.random.default_rng(seed), boxes.iou(proposals, objects[:, :4]).max(1, initial=0)
    own, others = (draw.permutation(np.flatnonzero(which)) for which in (overlap >= 0.5, overlap < 0.5))
    near = np.concatenate([objects[:, :4], proposals[own[:count // 3]]])[:count]
    whole = np.zeros((count, 4), np.float32)
    whole[:len(near)] = near
    rest = proposals[others[:count - len(near)]]
    whole[len(near):len(near) + len(rest)] = rest
    return whole


def rate_of(told: argparse.Namespace, samples: int, epochs: int) -> Any:
    return fc.optimizers.schedules.CosineDecay(told.rate, -(-samples // told.batch) * epochs, alpha=0.01)


def of_proposals(make: Any, told: argparse.Namespace, train: Any, names: tuple[str, ...], search: Searched
                 ) -> rcnn.RegionDetector:
    """Return a trained R-CNN or Fast R-CNN."""
    x, rows = detection.letterboxed(train, tuple(told.size))
    fc.utils.set_random_seed(told.seed)
    model = make(tuple(told.size), len(names), filters=told.filters, regions=told.regions)
    pictures, proposals, objects = flipped(x, [search(one) for one in x], [rows[k] for k in range(len(x))])
    given = np.stack([chosen(*one, told.regions, k) for k, one in enumerate(zip(proposals, objects, strict=True))])
    model.compile(fc.optimizers.AdamW(rate_of(told, len(pictures), told.epochs), weight_decay=0.01),
                  rcnn.RegionLoss(count=told.regions, share=0.5))
    offsets = np.append(0, np.cumsum([len(one) for one in objects]))
    model.fit([pictures, given], fc.data.RaggedRows(np.concatenate(objects), offsets, "numbers"), verbose=2,
              batch_size=told.batch, epochs=told.epochs)
    whole = make(tuple(told.size), len(names), filters=told.filters, regions=told.proposals)
    whole.set_weights(model.get_weights())  # which do not depend on how many regions there are
    return rcnn.RegionDetector(whole, names, proposals=search)


def of_anchors(told: argparse.Namespace, train: Any, names: tuple[str, ...]) -> rcnn.RegionDetector:
    """Return a trained Faster R-CNN."""
    x, rows = detection.letterboxed(train, tuple(told.size))
    fc.utils.set_random_seed(told.seed)
    grid = rcnn.AnchorGrid(tuple(told.size), boxes.anchor_sides(rows.rows[:, :4], 3, seed=told.seed)[0])
    model = rcnn.faster_rcnn(grid, len(names), filters=told.filters)
    epochs = 4 * told.epochs  # mirrored anew in each, so as many pictures as the others see
    model.compile(fc.optimizers.AdamW(rate_of(told, len(x), epochs), weight_decay=0.01),
                  {"proposals": rcnn.ProposalLoss(grid), "regions": rcnn.RegionLoss(share=0.5)})
    model.fit(x, {"proposals": rows, "regions": rows}, verbose=2, batch_size=told.batch, epochs=epochs,
              augmentation=Pipeline([layers.RandomFlip()], seed=told.seed))
    return rcnn.RegionDetector(model, names)


def seconds_of(detector: rcnn.RegionDetector, pictures: list[np.ndarray]) -> float:
    """Return the CPU time of a photograph, with its proposals."""
    if detector.proposals is not None:
        detector = rcnn.RegionDetector(detector.model, detector.classes, proposals="selective_search")
    detector.detect(pictures[:1])
    began = time.process_time()
    for one in pictures:
        detector.detect(one)
    return (time.process_time() - began) / len(pictures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=50)
    parser.add_argument("--test", type=int, help="test on so many photographs alone")
    parser.add_argument("--epochs", type=int, default=12, help="over the photographs and their three mirror images")
    parser.add_argument("--dev", action="store_true", help="look at the part for decisions in place of the test part")
    parser.add_argument("--only", choices=("rcnn", "fast", "faster"), help="one of the three alone")
    parser.add_argument("--size", type=int, nargs=2, default=(288, 384), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--filters", type=int, default=16, help="of the first layer")
    parser.add_argument("--regions", type=int, default=128, help="of a photograph, in training")
    parser.add_argument("--proposals", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--out", type=Path, default=Path("rcnn_family.png"))
    told = parser.parse_args()
    data: Any = fc.datasets.load("bccd", drop_bad=True)
    train, test = data.train.take(range(told.photos)), data.dev if told.dev else data.test
    if told.test:
        test = test.take(range(told.test))
    search, names = Searched(told.proposals), tuple(data.classes)
    if told.only != "faster":
        x, rows = detection.letterboxed(test, tuple(told.size))
        found = [boxes.iou(rows[k][:, :4], search(x[k])).max(1) >= 0.5 for k in range(len(x))]
        kinds = np.concatenate([rows[k][:, 4] for k in range(len(x))])
        each = [f"{names[k]} {np.concatenate(found)[kinds == k].mean():.3f}" for k in np.unique(kinds).astype(int)]
        print(f"recall of {np.mean([len(search(one)) for one in x]):.0f} proposals of at most {told.proposals}: "
              f"{np.concatenate(found).mean():.3f} ({', '.join(each)})")
    table, last = [], None
    for name, make in (("R-CNN", rcnn.rcnn), ("Fast R-CNN", rcnn.fast_rcnn), ("Faster R-CNN", None)):
        if told.only and told.only != name.replace("-", "").replace(" RCNN", "").lower():
            continue
        began = time.process_time()
        last = of_anchors(told, train, names) if make is None else of_proposals(make, told, train, names, search)
        trained = time.process_time() - began
        scores = last.evaluate(test)
        count = float(last.regions if make is None else np.mean([len(search(one)) for one in x]))
        table.append((name, count, seconds_of(last, [test.images[k] for k in range(min(4, len(test)))]),
                      float(scores["AP50"]), trained))
        told_scores = ", ".join(f"{one} {scores[one]:.3f}" for one in names if one in scores)
        print(f"{name}: {told_scores}; trained in {trained:.0f} s of CPU time")
    print("              proposals   seconds a photograph   mAP@0.5")
    for name, count, seconds, score, _ in table:
        print(f"{name:13} {count:9.0f} {seconds:22.3f} {score:9.3f}")
    assert last is not None
    last.detect(test.images[0]).draw(test.images[0], told.out)
    print(told.out)
    if told.json:
        told.json.write_text(json.dumps(table))


if __name__ == "__main__":
    main()
