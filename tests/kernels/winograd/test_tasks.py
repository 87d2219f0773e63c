"""Winograd's tasks: where they are few, two threads have as many each."""

import numpy as np
import pytest

from fastcnn.kernels.cpu.gemm.packing import width_of
from fastcnn.kernels.cpu.gemm.shares import even
from fastcnn.kernels.cpu.winograd import gradient_plan, lane_gradients, plan
from fastcnn.kernels.cpu.winograd.lane_task import lane_tasks

F = np.dtype(np.float32)

#: Images, rows, columns, channels and filters: layers of a small YOLO and of a small U-Net, and odd ones.
LAYERS = [(4, 36, 48, 32, 64), (4, 18, 24, 64, 128), (4, 18, 24, 128, 128), (2, 64, 64, 24, 48), (2, 64, 64, 96, 48),
          (2, 32, 32, 48, 96), (2, 32, 32, 96, 96), (2, 32, 32, 192, 96), (3, 20, 20, 160, 96), (1, 52, 44, 64, 64)]


def problem(n, h, w, c, k):
    return n, h, w, c, h, w, k, 1, 1, 4


def test_an_odd_number_of_tasks_becomes_even():
    assert [even(tasks) for tasks in range(1, 8)] == [1, 2, 4, 4, 6, 6, 8]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_few_tasks_are_one_or_an_even_number(layer):
    p = problem(*layer)
    width = width_of(p[6], F)
    tiles, run = plan.plan(p)[2:4]
    blocks, chunks = -(-p[6] // width), gradient_plan.chunks_of(p, width)
    products = blocks * gradient_plan.parts_of(p, width) if chunks == 0 else chunks
    for tasks in (-(-tiles // run), lane_tasks(p, 16), products, lane_gradients._plan(p, 16)[1]):
        assert tasks == 1 or tasks % 2 == 0 or tasks >= plan.MANY_RUNS


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_runs_of_the_gradient_of_filters_are_nearly_equal_and_cover_all_tiles(layer):
    p = problem(*layer)
    tiles, run, runs, *_ = gradient_plan.plan(p, width_of(p[6], F))
    assert (runs - 1) * run < tiles <= runs * run
    assert run <= gradient_plan.MOST_RUN or not gradient_plan.is_fused(p, width_of(p[6], F))
    assert runs * run - tiles < runs  # a run lacks less than one tile on average
