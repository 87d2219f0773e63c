"""Which object each anchor overlaps with most, and which anchor each object.

No matrix of anchors x objects is kept: a million anchors and 3,000 objects would be 12 GB. Anchors are looked at in
blocks of neighbours, and an object that does not touch the box around a block is passed over for all of them::

    | block | block | block | ...           anchors, cut into chunks by their number alone; a chunk has its own best
       |       |                            anchor of each object, and the chunks are put together in order
     objects that touch it -> overlap of each pair; larger alone replaces, so that the lowest index wins ties
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined, kernel, parallel
from fastcnn.kernels.cpu.regions.overlap import intersection_over_union

_BLOCK, _MOST, _CHUNK = 64, 16, 8192


def match_boxes_scratch(anchors, objects):
    """Return how many numbers of each of its two scratches `match_boxes` wants.

    Parameters
    ----------
    anchors, objects : int
        How many there are.
    """
    return _chunks(anchors) * objects


@inlined
def _chunks(anchors):
    return max(1, min(_MOST, anchors // _CHUNK))


@kernel
def match_boxes(object_of, overlap_of, anchor_of, best_of, overlaps, places, anchors, objects):
    """Write the best object of each anchor and the best anchor of each object; the lowest index of equal ones.

    Parameters
    ----------
    object_of : (A,) int64 array
        Written: 0 where nothing overlaps; -1 if there are no objects.
    overlap_of : (A,) array
        Written: its intersection over union.
    anchor_of : (M,) int64 array
        Written: as `object_of`.
    best_of : (M,) array
        Written.
    overlaps : (match_boxes_scratch(A, M),) array
    places : (match_boxes_scratch(A, M),) int64 array
    anchors : (A, 4) array
    objects : (M, 4) array
    """
    chunks, many = _chunks(anchors.shape[0]), objects.shape[0]
    parallel(_match_chunk, chunks, (chunks, object_of, overlap_of, overlaps, places, anchors, objects))
    for m in range(many):
        best, place = overlaps[m], places[m]
        for chunk in range(1, chunks):
            if overlaps[chunk * many + m] > best:
                best, place = overlaps[chunk * many + m], places[chunk * many + m]
        best_of[m], anchor_of[m] = best, place


@inlined
def _match_chunk(chunk, chunks, object_of, overlap_of, overlaps, places, anchors, objects):
    real, many = anchors.dtype.type, objects.shape[0]
    first, last = chunk_of(chunk, chunks, anchors.shape[0])
    own, at = overlaps[chunk * many:(chunk + 1) * many], places[chunk * many:(chunk + 1) * many]
    for m in range(many):
        own[m], at[m] = real(0), 0 if anchors.shape[0] else -1
    begin = first
    while begin < last:
        end = min(begin + _BLOCK, last)
        left, top, right, bottom = anchors[begin, 0], anchors[begin, 1], anchors[begin, 2], anchors[begin, 3]
        for a in range(begin, end):
            object_of[a], overlap_of[a] = 0 if many else -1, real(0)
            left, top = min(anchors[a, 0], left), min(anchors[a, 1], top)
            right, bottom = max(anchors[a, 2], right), max(anchors[a, 3], bottom)
        if left != left or top != top or right != right or bottom != bottom:  # NaN: whatever is there may overlap
            left, top, right, bottom = real(-np.inf), real(-np.inf), real(np.inf), real(np.inf)
        for m in range(many):
            box = objects[m, 0], objects[m, 1], objects[m, 2], objects[m, 3]
            if box[0] < right and box[2] > left and box[1] < bottom and box[3] > top:
                for a in range(begin, end):
                    overlap = intersection_over_union(
                        (anchors[a, 0], anchors[a, 1], anchors[a, 2], anchors[a, 3]), box)
                    if overlap > overlap_of[a]:
                        overlap_of[a], object_of[a] = overlap, m
                    if overlap > own[m]:
                        own[m], at[m] = overlap, a
        begin = end
