"""Twins of the kernels of boxes and regions, imported by `tests/reference.py`."""

import math

import numpy as np

from fastcnn.kernels import region_codes as codes


def overlap(a, b, code):
    """Return how much two boxes overlap."""
    a, b = (tuple(map(float, box)) for box in (a, b))
    area = lambda box: max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
    common = area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))
    union = area(a) + area(b) - common
    iou = common / union if union > 0 else 0.0
    wide, high = max(a[2], b[2]) - min(a[0], b[0]), max(a[3], b[3]) - min(a[1], b[1])
    if code == codes.GIOU:
        return iou - (wide * high - union) / (wide * high) if wide * high > 0 else iou
    if code == codes.IOU or not wide ** 2 + high ** 2 > 0:
        return iou
    centres = [((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for box in (a, b)]
    far = math.dist(*centres) ** 2 / (wide ** 2 + high ** 2)
    v = aspect(a, b) if code == codes.CIOU else 0.0
    return iou - far - (v * v / (1 - iou + v) if v > 0 else 0.0)


def aspect(a, b):
    """Return how differently long two boxes are."""
    sides = [box[k + 2] - box[k] for box in (a, b) for k in range(2)]
    if min(sides) <= 0:
        return 0.0
    return 4 / math.pi ** 2 * (math.atan(sides[2] / sides[3]) - math.atan(sides[0] / sides[1])) ** 2


def box_overlaps(a, b, code):
    return np.array([[overlap(one, other, code) for other in b] for one in a]).reshape(len(a), len(b))


def box_loss(x, targets, weights, code, scale):
    losses, dx = np.zeros(len(x)), np.zeros((len(x), 4))
    for i, (a, b) in enumerate(zip(x.astype(np.float64), targets.astype(np.float64))):
        weight = weights[i] if weights.size else 1.0
        if weight == 0:
            continue
        losses[i] = weight * (1 - overlap(a, b, code)) if np.isfinite(a).all() else np.nan
        iou = overlap(a, b, codes.IOU)
        v = aspect(a, b)
        share = v / (1 - iou + v) if code == codes.CIOU and v > 0 else 0.0
        kind = codes.DIOU if code == codes.CIOU else code
        loss = lambda box, kind=kind, b=b, share=share: 1 - overlap(box, b, kind) + share * aspect(box, b)
        for k in range(4):
            step = np.eye(4)[k] * 1e-6
            dx[i, k] = scale * weight * (loss(a + step) - loss(a - step)) / 2e-6
    return losses, dx


def encode_boxes(boxes, anchors, scales):
    out = np.zeros((len(boxes), 4))
    for i, box in enumerate(boxes.astype(np.float64)):
        anchor = anchors[i % len(anchors)].astype(np.float64)
        for k in range(2):
            size, own = anchor[k + 2] - anchor[k], box[k + 2] - box[k]
            out[i, k] = scales[k] * ((box[k] + box[k + 2]) / 2 - (anchor[k] + anchor[k + 2]) / 2) / size
            out[i, k + 2] = scales[k + 2] * math.log(own / size)
    return out


def decode_boxes(codes, anchors, scales):
    out = np.zeros((len(codes), 4))
    for i, t in enumerate(codes.astype(np.float64) / scales):
        anchor = anchors[i % len(anchors)].astype(np.float64)
        for k in range(2):
            size = anchor[k + 2] - anchor[k]
            middle = (anchor[k] + anchor[k + 2]) / 2 + size * t[k]
            side = size * math.exp(min(t[k + 2], math.log(1000 / 16)))
            out[i, k], out[i, k + 2] = middle - side / 2, middle + side / 2
    return out


def _slopes(function, x, dy):
    """Return the gradient of sum(dy * function(x)) by central differences."""
    dx = np.zeros(x.shape)
    for at in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[at] = 1e-6
        dx[at] = ((function(x + step) - function(x - step)) * dy).sum() / 2e-6
    return dx


def decode_boxes_backward(dboxes, codes, anchors, scales):
    return _slopes(lambda t: decode_boxes(t, anchors, scales), codes.astype(np.float64), dboxes)


def decode_cells(x, priors, stride, code):
    out, priors = np.zeros((*x.shape[:4], 4)), priors.astype(np.float64)
    sigmoid = lambda t: 1 / (1 + math.exp(-t)) if t > -700 else 0.0
    for n, i, j, a in np.ndindex(x.shape[:4]):
        for k, cell in enumerate((j, i)):
            t, size = float(x[n, i, j, a, k]), float(x[n, i, j, a, k + 2])
            if code == codes.EXPONENTIAL:
                middle = (cell + sigmoid(t)) * stride
                side = priors[a, k] * math.exp(min(size, math.log(1000 / 16)))
            else:
                middle = (cell + 2 * sigmoid(t) - 0.5) * stride
                side = priors[a, k] * (2 * sigmoid(size)) ** 2
            out[n, i, j, a, k], out[n, i, j, a, k + 2] = middle - side / 2, middle + side / 2
    return out


def decode_cells_backward(dboxes, x, priors, stride, code):
    out = np.zeros(x.shape)
    for at in np.ndindex(x.shape):
        if at[-1] < 4:
            step = np.zeros(x.shape)
            step[at] = 1e-6
            above, below = (decode_cells(x + s * step, priors, stride, code) for s in (1, -1))
            out[at] = ((above - below) * dboxes).sum() / 2e-6
    return out


def match_boxes(anchors, objects):
    table = box_overlaps(anchors, objects, codes.IOU)
    if not table.size:
        return (np.full(len(anchors), -1), np.zeros(len(anchors)), np.full(len(objects), -1), np.zeros(len(objects)))
    return table.argmax(1), table.max(1), table.argmax(0), table.max(0)


def order_rows(x, lowest):
    order = np.full(x.shape, -1)
    for i, row in enumerate(x):
        above = [j for j in range(len(row)) if row[j] > lowest]
        columns = sorted(above, key=lambda j, row=row: -row[j])
        order[i, :len(columns)] = columns
    return order


def suppress_boxes(boxes, scores, order, lists, how):
    g = how[0]
    kept, weighed = np.full(len(order), -1), np.zeros(len(order))
    for begin, end, first, at in lists:
        left = {int(k): float(scores[at + k]) for k in order[begin:end] if k >= 0}
        out = begin
        while left and out - begin < g["most"]:
            best = min(left, key=lambda k, left=left: (-left[k], k))
            kept[out], weighed[out] = best, left.pop(best)
            out += 1
            for k in list(left):
                u = overlap(boxes[first + best], boxes[first + k], codes.IOU)
                if g["code"] == codes.HARD and u > g["threshold"]:
                    del left[k]
                elif g["code"] == codes.SOFT_LINEAR and u > g["threshold"]:
                    left[k] *= 1 - u
                elif g["code"] == codes.SOFT_GAUSSIAN:
                    left[k] *= math.exp(-u * u / g["sigma"])
                if k in left and not left[k] > g["lowest"]:
                    del left[k]
    return kept, weighed


def best_detections(y, kept, weighed, boxes):
    out = np.zeros(y.shape)
    out[..., 5] = -1
    for n in range(len(y)):
        rows = [(-weighed[n, c, k], c, k) for c in range(kept.shape[1]) for k in range(kept.shape[2])
                if kept[n, c, k] >= 0]
        for d, (score, c, k) in enumerate(sorted(rows)[:y.shape[1]]):
            out[n, d] = [*boxes[n, kept[n, c, k]], -score, c]
    return out


def _points(begin, end, parts, samples, least):
    """Return the places of the points of each part of a side."""
    length = max(end - begin, least)
    count = samples or math.ceil(length / parts)
    return [[begin + (part + (i + 0.5) / count) * length / parts for i in range(max(count, 0))]
            for part in range(parts)]


def _pixels(at, n):
    """Return the pixels about a place and their weights."""
    if at < -1 or at > n:
        return []
    at = min(max(at, 0.0), n - 1.0)
    low = math.floor(at)
    return [(low, 1 - (at - low)), (min(low + 1, n - 1), at - low)]


def _aligned(boxes, geometry):
    """Yield each part of the result, with the pixels that it is a mean of and their weights."""
    g = geometry[0]
    moved = 0.5 if g["aligned"] else 0.0
    for n, r in np.ndindex(boxes.shape[:2]):
        if not np.isfinite(boxes[n, r]).all():
            continue
        x1, y1, x2, y2 = boxes[n, r].astype(np.float64) * g["scale"] - moved
        least = -math.inf if g["aligned"] else 1.0
        rows = _points(y1, y2, int(g["ph"]), int(g["samples"]), least)
        columns = _points(x1, x2, int(g["pw"]), int(g["samples"]), least)
        for (i, some), (j, others) in ((a, b) for a in enumerate(rows) for b in enumerate(columns)):
            for y in some:
                for x in others:
                    for p, wp in _pixels(y, int(g["h"])):
                        for q, wq in _pixels(x, int(g["w"])):
                            yield (n, r, i, j), (n, p, q), wp * wq / (len(some) * len(others))


def roi_align_forward(x, boxes, geometry):
    g = geometry[0]
    y = np.zeros((g["n"], g["regions"], g["ph"], g["pw"], g["c"]))
    for part, pixel, weight in _aligned(boxes, geometry):
        y[part] += weight * x[pixel].astype(np.float64)
    return y


def roi_align_backward(dy, boxes, geometry):
    g = geometry[0]
    dx = np.zeros((g["n"], g["h"], g["w"], g["c"]))
    for part, pixel, weight in _aligned(boxes, geometry):
        dx[pixel] += weight * dy[part].astype(np.float64)
    return dx


def roi_pool_forward(x, boxes, geometry):
    g = geometry[0]
    shape = int(g["n"]), int(g["regions"]), int(g["ph"]), int(g["pw"]), int(g["c"])
    y, argmax = np.zeros(shape), np.full(shape, -1)
    h, w = int(g["h"]), int(g["w"])
    for n, r in np.ndindex(boxes.shape[:2]):
        if not np.isfinite(boxes[n, r]).all():
            continue
        x1, y1, x2, y2 = (int(math.copysign(math.floor(abs(v) + 0.5), v)) for v in boxes[n, r] * float(g["scale"]))
        wide, high = max(x2 - x1 + 1, 1), max(y2 - y1 + 1, 1)
        for i, j in np.ndindex(shape[2:4]):
            rows = [p for p in range(y1 + math.floor(i * high / shape[2]), y1 + math.ceil((i + 1) * high / shape[2]))
                    if 0 <= p < h]
            columns = [q for q in range(x1 + math.floor(j * wide / shape[3]),
                                        x1 + math.ceil((j + 1) * wide / shape[3])) if 0 <= q < w]
            for c in range(shape[4]):
                pixels = [(x[n, p, q, c], p * w + q) for p in rows for q in columns]
                if pixels:
                    y[n, r, i, j, c], argmax[n, r, i, j, c] = max(pixels, key=lambda one: one[0])
    return y, argmax


def roi_pool_backward(dy, argmax, geometry):
    g = geometry[0]
    dx = np.zeros((g["n"], g["h"] * g["w"], g["c"]))
    for at in np.ndindex(dy.shape):
        if argmax[at] >= 0:
            dx[at[0], argmax[at], at[-1]] += dy[at]
    return dx.reshape(g["n"], g["h"], g["w"], g["c"])


def _cubic(distance, a=-0.75):
    t = abs(distance)
    if t <= 1:
        return ((a + 2) * t - (a + 3)) * t * t + 1
    return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a if t < 2 else 0.0


def _mirrored(at, low, high):
    if high <= low:
        return low
    while not low <= at <= high:
        at = 2 * low - at if at < low else 2 * high - at
    return at


def _side(number, n, how):
    """Return the pixels that a number of the grid is made of, with weights."""
    g = how[0]
    at = (number + 1) / 2 * (n - 1) if g["corners"] else ((number + 1) * n - 1) / 2
    low, high = (0, n - 1) if g["corners"] else (-0.5, n - 0.5)
    if g["mode"] == codes.NEAREST:
        at = np.rint(at)
    if g["outside"] == codes.REFLECTION and g["mode"] != codes.BICUBIC:
        at = _mirrored(at, low, high)
    first = math.floor(at)
    if g["mode"] == codes.NEAREST:
        taps = [(int(at), 1.0)]
    elif g["mode"] == codes.BILINEAR:
        taps = [(first, 1 - (at - first)), (first + 1, at - first)]
    else:
        taps = [(first + k, _cubic(at - first - k)) for k in range(-1, 3)]
    if g["outside"] == codes.ZEROS:
        return [(k, weight) for k, weight in taps if 0 <= k < n]
    if g["outside"] == codes.REFLECTION and g["mode"] == codes.BICUBIC:
        taps = [(int(_mirrored(k, low, high)), weight) for k, weight in taps]
    return [(min(max(k, 0), n - 1), weight) for k, weight in taps]


def grid_sample_forward(x, grid, how):
    y = np.zeros((*grid.shape[:3], x.shape[3]))
    for n, i, j in np.ndindex(grid.shape[:3]):
        across, down = grid[n, i, j].astype(np.float64)
        for p, a in _side(down, x.shape[1], how):
            for q, b in _side(across, x.shape[2], how):
                y[n, i, j] += a * b * x[n, p, q]
    return y


def grid_sample_backward(dy, x, grid, how):
    dx = np.zeros(x.shape)
    for n, i, j in np.ndindex(grid.shape[:3]):
        across, down = grid[n, i, j].astype(np.float64)
        for p, a in _side(down, x.shape[1], how):
            for q, b in _side(across, x.shape[2], how):
                dx[n, p, q] += a * b * dy[n, i, j]
    dgrid = np.zeros(grid.shape)
    for at in np.ndindex(grid.shape):
        if how[0]["mode"] != codes.NEAREST:
            n, i, j = at[:3]
            values = []
            for step in (1e-6, -1e-6):
                place = grid[n:n + 1, i:i + 1, j:j + 1].astype(np.float64)
                place[..., at[3]] += step
                values.append((grid_sample_forward(x[n:n + 1].astype(np.float64), place, how)[0, 0, 0]
                               * dy[n, i, j]).sum())
            dgrid[at] = (values[0] - values[1]) / 2e-6
    return dx, dgrid
