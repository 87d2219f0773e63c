"""kernels/cpu/regions: boxes compared, matched, coded and suppressed; regions and grids of feature maps."""

from functools import cache, partial
from types import SimpleNamespace

import numpy as np

from .data import REPEAT, normal, written


def boxes(count: int, size: int, lead: tuple[int, ...] = (), seed: int = 0) -> np.ndarray:
    """Return boxes of a picture of `size` pixels, of ordinary sizes."""
    draw = np.random.default_rng(seed)
    corner, sides = draw.uniform(0, 0.9 * size, (*lead, count, 2)), draw.uniform(0.02, 0.2, (*lead, count, 2)) * size
    return np.concatenate([corner, corner + sides], -1).astype(np.float32)


@cache
def _calls() -> SimpleNamespace:
    from fastcnn.geometry.regions import CELLS, grid, regions, suppression
    from fastcnn.kernels import cpu

    some, others, anchors, objects = boxes(5000, 640), boxes(1000, 640, seed=1), boxes(100000, 640), boxes(100, 640)
    scores = np.random.default_rng(0).random((1, 5000), np.float32)
    order, lists = np.empty((1, 5000), np.int64), np.array([[0, 5000, 0, 0]])
    kept, memory, numbers = np.empty(5000, np.int64), np.empty(25000, np.float32), np.empty((1, 5000), np.int64)
    size = cpu.match_boxes_scratch(100000, 100)
    matched = (np.empty(100000, np.int64), written(100000), np.empty(100, np.int64), written(100), written(size),
               np.empty(size, np.int64))
    tens, none = np.array([10, 10, 5, 5], np.float32), np.empty(0, np.float32)
    priors, cells = np.array([[20, 20], [50, 50], [100, 90]], np.float32), normal(8, 40, 40, 3, 8)
    grids, learned = np.array([(40, 40, 3, 1, 1, 4.0, 1.0)], CELLS), np.concatenate(
        [boxes(20, 640, (8,)), np.zeros((8, 20, 1), np.float32)], -1)
    column, row, prior = (index.reshape(-1) for index in np.meshgrid(range(40), range(40), range(3), indexing="xy"))
    order_of = np.lexsort((prior, column, row))
    spots = np.column_stack([column, row, np.full(4800, 16), priors[prior]])[order_of].astype(np.float32)
    maps, areas = normal(2, 50, 68, 256), boxes(256, 800, (2,))
    g, parts = regions((2, 50, 68, 256), 256, (7, 7), 1 / 16, 2), normal(2, 256, 7, 7, 256)
    argmax = np.empty((2, 256, 7, 7, 256), np.int32)
    images, places, how = normal(8, 56, 56, 64), np.tanh(normal(8, 56, 56, 2)), grid(1, 0, False)
    calls = SimpleNamespace(
        iou=partial(cpu.box_overlaps, written(5000, 1000), some, others, 0),
        ciou=partial(cpu.box_overlaps, written(5000, 1000), some, others, 3),
        ciou_loss=partial(cpu.box_loss, written(5000), written(5000, 4), some, some[::-1].copy(), none, 3, 1.0),
        encode=partial(cpu.encode_boxes, written(5000, 4), some, some[::-1].copy(), tens),
        decode=partial(cpu.decode_boxes, written(5000, 4), normal(5000, 4), some, tens),
        decode_backward=partial(cpu.decode_boxes_backward, written(5000, 4), some, normal(5000, 4), some, tens),
        cells=partial(cpu.decode_cells, written(8, 40, 40, 3, 4), cells, priors, 16.0, 0),
        cells_backward=partial(cpu.decode_cells_backward, written(8, 40, 40, 3, 8), normal(8, 40, 40, 3, 4), cells,
                               priors, 16.0, 0),
        cell_loss=partial(cpu.cell_loss, written(4, 8), written(8, 4800, 8), written(2, 8, 4800),
                          cells.reshape(8, 4800, 8), learned, spots, np.ones((8, 4), np.float32), grids),
        match=partial(cpu.match_boxes, *matched, anchors, objects),
        order=partial(cpu.order_rows, order, numbers, scores, -np.inf),
        suppress=partial(cpu.suppress_boxes, kept, written(5000), memory, some, scores.reshape(-1), order.reshape(-1),
                         lists, suppression(0.5, 5000)),
        best=partial(cpu.best_detections, written(1, 100, 6), np.empty((1, 1), np.int64), kept.reshape(1, 1, 5000),
                     written(1, 1, 5000), some[None]),
        align=partial(cpu.roi_align_forward, written(2, 256, 7, 7, 256), maps, areas, g),
        align_backward=partial(cpu.roi_align_backward, written(2, 50, 68, 256), parts, areas, g),
        pool=partial(cpu.roi_pool_forward, written(2, 256, 7, 7, 256), argmax, maps, areas, g),
        pool_backward=partial(cpu.roi_pool_backward, written(2, 50, 68, 256), parts, argmax, g),
        sample=partial(cpu.grid_sample_forward, written(8, 56, 56, 64), images, places, how),
        sample_backward=partial(cpu.grid_sample_backward, written(8, 56, 56, 64), written(8, 56, 56, 2),
                                normal(8, 56, 56, 64), images, places, how))
    for call in vars(calls).values():
        call()
    return calls


class Boxes:
    """5,000 boxes beside 1,000; 100,000 anchors and 100 objects; the cells of eight images of 640 x 640."""

    repeat = REPEAT
    params = ("iou", "ciou", "ciou_loss", "encode", "decode", "decode_backward", "cells", "cells_backward",
              "cell_loss", "match", "order", "suppress", "best")
    param_names = ("kernel",)

    def setup(self, kernel):
        self.call = getattr(_calls(), kernel)

    def time_kernel(self, kernel):
        self.call()


class Regions:
    """256 regions of each of two maps of a Faster R-CNN; maps of ResNet-50's second stage at places of a grid."""

    repeat = REPEAT
    params = ("align", "align_backward", "pool", "pool_backward", "sample", "sample_backward")
    param_names = ("kernel",)

    def setup(self, kernel):
        self.call = getattr(_calls(), kernel)

    def time_kernel(self, kernel):
        self.call()
