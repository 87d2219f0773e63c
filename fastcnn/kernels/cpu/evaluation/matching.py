"""Detections matched with the objects of their image and class, as average precision counts them."""

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel

_ALMOST_ONE = 1 - 1e-10  # COCO's: a threshold of 1 is reached by boxes that are equal but for rounding


@kernel
def match_detections(outcomes, taken, overlaps, detections, objects, groups, thresholds, areas):
    """Write which detections are true and which are false, for each range of areas and each threshold of the IoU.

    A group is an image and a class. COCO's rule (Lin et al., "Microsoft COCO: common objects in context", 2014): from
    the highest score down, a detection takes the object of the largest IoU (the last of equal ones) that is not taken
    yet, if the IoU is at least the threshold; one that counts goes before one that does not. What takes an object that
    does not count is neither true nor false, nor is what takes none and is outside the range of areas. Pascal VOC's
    rule (Everingham et al., "The Pascal visual object classes challenge", 2010, section 4.2), in the last column: a
    detection belongs to the object of the largest IoU (the first of equal ones), taken or not, and only the first of an
    object is true.

    Parameters
    ----------
    outcomes : (D, A * T + 1) uint8 array
        Written: 0 false, 1 true, 2 neither; of area a and threshold t in column a * T + t.
    taken : (G, A * T + 1) uint8 array
        Scratch.
    overlaps : (G,) float64 array
        Scratch.
    detections : (D, 4) float64 array
        x1, y1, x2, y2; by group, within it by falling score.
    objects : (G, 6) float64 array
        x1, y1, x2, y2, area, and what it is: 0 counts, 1 a crowd, 2 difficult. The latter two do not count and may be
        taken again and again; the union with a crowd is the area of the detection alone.
    groups : (P, 4) int64 array
        The first detection and the one behind the last, the first object and the one behind the last.
    thresholds : (T + 1,) float64 array
        The last one is for VOC's rule.
    areas : (A, 2) float64 array
        The least and the largest area of each range, both within.
    """
    work = objects.shape[0] * outcomes.shape[1] + detections.shape[0] * outcomes.shape[1]
    chunks = min(max(1, groups.shape[0]), chunks_for(work, 8))
    parallel(_match, chunks, (chunks, outcomes, (taken, overlaps), detections, objects, groups, (thresholds, areas)))


@inlined(exact=True)
def _match(chunk, chunks, outcomes, scratch, detections, objects, groups, limits):
    (taken, overlaps), (thresholds, areas) = scratch, limits
    first, last = chunk_of(chunk, chunks, groups.shape[0])
    for group in range(first, last):
        g0, g1 = groups[group, 2], groups[group, 3]
        taken[g0:g1] = 0
        for d in range(groups[group, 0], groups[group, 1]):
            _overlaps(overlaps, detections[d], objects, g0, g1)
            area = (detections[d, 2] - detections[d, 0]) * (detections[d, 3] - detections[d, 1])
            _by_coco(outcomes[d], taken, overlaps, area, objects, (g0, g1), thresholds, areas)
            outcomes[d, -1] = _by_voc(taken, overlaps, objects, g0, g1, thresholds[-1])


@inlined(exact=True)
def _overlaps(overlaps, box, objects, g0, g1):
    """Write the IoU of one detection with each object."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    for g in range(g0, g1):
        overlaps[g] = 0.0
        width = min(box[2], objects[g, 2]) - max(box[0], objects[g, 0])
        height = min(box[3], objects[g, 3]) - max(box[1], objects[g, 1])
        if width > 0 and height > 0:
            both = width * height
            other = (objects[g, 2] - objects[g, 0]) * (objects[g, 3] - objects[g, 1])
            overlaps[g] = both / (area if objects[g, 5] == 1 else area + other - both)


@inlined(exact=True)
def _by_coco(outcomes, taken, overlaps, area, objects, bounds, thresholds, areas):
    """Write the outcomes of one detection for each range of areas and threshold, and what it takes."""
    count = thresholds.shape[0] - 1
    for a in range(areas.shape[0]):
        low, high = areas[a, 0], areas[a, 1]
        for t in range(count):
            column = a * count + t
            best, most, counts = -1, min(thresholds[t], _ALMOST_ONE), True
            for wanted in (True, False):  # those that count first
                if best >= 0:
                    break
                for g in range(bounds[0], bounds[1]):
                    kind = objects[g, 5]
                    if overlaps[g] < most or (kind == 0 and taken[g, column]):
                        continue
                    if (kind == 0 and low <= objects[g, 4] <= high) == wanted:
                        best, most, counts = g, overlaps[g], wanted
            if best >= 0:
                taken[best, column] = 1
                outcomes[column] = 1 if counts else 2
            else:
                outcomes[column] = 0 if low <= area <= high else 2


@inlined(exact=True)
def _by_voc(taken, overlaps, objects, g0, g1, threshold):
    """Return the outcome of one detection by VOC's rule."""
    best, most = -1, -1.0
    for g in range(g0, g1):
        if overlaps[g] > most:
            best, most = g, overlaps[g]
    if best < 0 or most < threshold:
        return 0
    if objects[best, 5] != 0:
        return 2
    if taken[best, -1]:
        return 0
    taken[best, -1] = 1
    return 1
