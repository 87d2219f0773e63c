"""Twins of kernels that count for metrics: see `tests.reference`."""

import numpy as np


def match_detections(detections, objects, groups, thresholds, areas):
    """Each range of areas and each threshold by itself, objects as Python lists of candidates."""
    detections, objects, count = np.asarray(detections), np.asarray(objects), len(thresholds) - 1
    outcomes = np.zeros((len(detections), len(areas) * count + 1), np.uint8)
    for d0, d1, g0, g1 in np.asarray(groups):
        ious = {(d, g): iou(detections[d], objects[g]) for d in range(d0, d1) for g in range(g0, g1)}
        for a, (low, high) in enumerate(areas):
            counts = {g: objects[g, 5] == 0 and low <= objects[g, 4] <= high for g in range(g0, g1)}
            for t in range(count):
                free = set(range(g0, g1))
                for d in range(d0, d1):
                    near = [g for g in sorted(free) if ious[d, g] >= min(thresholds[t], 1 - 1e-10)]
                    near = [g for g in near if counts[g]] or near
                    area = np.prod(detections[d, 2:] - detections[d, :2])
                    outside = not low <= area <= high
                    if not near:
                        outcomes[d, a * count + t] = 2 if outside else 0
                        continue
                    best = max(near, key=lambda g: (ious[d, g], g))
                    outcomes[d, a * count + t] = 1 if counts[best] else 2
                    if objects[best, 5] == 0:
                        free.remove(best)
        first = set()
        for d in range(d0, d1):
            best = max(range(g0, g1), key=lambda g: (ious[d, g], -g), default=None)
            if best is not None and ious[d, best] >= thresholds[-1]:
                outcomes[d, -1] = 2 if objects[best, 5] else int(best not in first)
                first.add(best)
    return outcomes


def iou(box, other):
    """Return the IoU of a detection with an object; of a crowd, the share of the detection within it."""
    sides = np.minimum(box[2:4], other[2:4]) - np.maximum(box[:2], other[:2])
    both = np.prod(np.maximum(sides, 0))
    mine, its = (np.prod(one[2:4] - one[:2]) for one in (box, other))
    return both / (mine if other[5] == 1 else mine + its - both) if both else 0.0
