"""The losses of an R-CNN as slow obvious loops, of one image in float64."""

import math

import numpy as np


def iou(a, b):
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if across <= 0 or down <= 0:
        return 0.0
    both = across * down
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def best(box, objects):
    """Return the number of the object that overlaps most with a box, the first of equal ones, and its IoU."""
    number, most = 0, 0.0
    for k, one in enumerate(objects):
        if iou(box, one) > most:
            number, most = k, iou(box, one)
    return number, most


def in_crowd(box, crowds):
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return any(c[0] <= x < c[2] and c[1] <= y < c[3] for c in crowds)


def offsets(box, anchor):
    wide, high = anchor[2] - anchor[0], anchor[3] - anchor[1]
    return (10 * ((box[0] + box[2]) - (anchor[0] + anchor[2])) / 2 / wide,
            10 * ((box[1] + box[3]) - (anchor[1] + anchor[3])) / 2 / high,
            5 * math.log((box[2] - box[0]) / wide), 5 * math.log((box[3] - box[1]) / high))


def smooth_l1(a, b):
    return sum(d * d / 2 if d < 1 else d - 0.5 for d in (abs(p - q) for p, q in zip(a, b, strict=True)))


def entropy(t, goal):
    return -math.log(1 / (1 + math.exp(-t))) if goal else -math.log(1 / (1 + math.exp(t)))


def anchors_with_and_without(anchors, objects, crowds, positive, negative):
    """Return the object of each anchor that has one, and the anchors that are background."""
    own, others = {}, []
    for a, anchor in enumerate(anchors):
        number, overlap = best(anchor, objects)
        if overlap >= positive:
            own[a] = number
        elif overlap < negative and not in_crowd(anchor, crowds):
            others.append(a)
    for one in objects:
        a, overlap = best(one, anchors)
        if overlap > 0:
            own[a] = best(anchors[a], objects)[0]
            others = [b for b in others if b != a]
    return own, others


def proposal_loss(x, anchors, objects, own, drawn, box_gain):
    """Return the loss of some anchors, those in `own` with their object."""
    places = [*drawn[0], *drawn[1]]
    loss = sum(entropy(x[a, 4], a in drawn[0]) for a in places)
    loss += box_gain * sum(smooth_l1(x[a, :4], offsets(objects[own[a]], anchors[a])) for a in drawn[0])
    return loss / max(1, len(places))


def regions_with_and_without(boxes, objects, crowds, positive):
    own, others = {}, []
    for r, box in enumerate(boxes):
        number, overlap = best(box, objects)
        if overlap >= positive:
            own[r] = number
        elif box[2] > box[0] and box[3] > box[1] and not in_crowd(box, crowds):
            others.append(r)
    return own, others


def region_loss(x, kinds, objects, classes, own, drawn, box_gain):
    loss, places = 0.0, [*drawn[0], *drawn[1]]
    for r in places:
        logits = x[r, 4:5 + kinds]
        goal = 1 + classes[own[r]] if r in drawn[0] else 0
        loss += math.log(sum(math.exp(t) for t in logits)) - logits[goal]
        if goal:
            at = 5 + kinds + 4 * (goal - 1)
            loss += box_gain * smooth_l1(x[r, at:at + 4], offsets(objects[own[r]], x[r, :4]))
    return loss / max(1, len(places))


def mask_loss(x, kinds, side, instances, numbers, classes, own, drawn):
    loss = 0.0
    for r in drawn:
        x1, y1, x2, y2 = x[r, :4]
        for i in range(side):
            for j in range(side):
                row = min(max(math.floor(y1 + (y2 - y1) * (i + 0.5) / side), 0), instances.shape[0] - 1)
                column = min(max(math.floor(x1 + (x2 - x1) * (j + 0.5) / side), 0), instances.shape[1] - 1)
                t = x[r, 4 + (i * side + j) * kinds + classes[own[r]]]
                loss += entropy(t, instances[row, column] == numbers[own[r]])
    return loss / max(1, len(drawn) * side * side)


def pasted(mask, box, size):
    """Return a mask on a picture of zeros, interpolated at the middles of the pixels within its box."""
    whole, side = np.zeros(size), len(mask)
    for row in range(size[0]):
        for column in range(size[1]):
            x, y = column + 0.5, row + 0.5
            if not (box[0] <= x < box[2] and box[1] <= y < box[3]):
                continue
            u = min(max((x - box[0]) / (box[2] - box[0]) * side - 0.5, 0), side - 1)
            v = min(max((y - box[1]) / (box[3] - box[1]) * side - 0.5, 0), side - 1)
            i, j = math.floor(v), math.floor(u)
            k, m = min(i + 1, side - 1), min(j + 1, side - 1)
            whole[row, column] = ((1 - v + i) * ((1 - u + j) * mask[i][j] + (u - j) * mask[i][m]) +
                                  (v - i) * ((1 - u + j) * mask[k][j] + (u - j) * mask[k][m]))
    return whole
