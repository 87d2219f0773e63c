"""What tests leave behind goes back to the system."""

import gc

import numpy as np
import pytest

from fastcnn import device
from tests import memory


@pytest.mark.skipif(memory.resident() == 0, reason="the system does not tell")
def test_garbage_in_circles_and_free_blocks_of_the_pool_go_back_once_they_are_many():
    gc.collect()  # objects with finalizers go in a second collection
    memory._floor = -memory.GROWTH
    assert memory.give_back(), "else what lies free in the process would count as used below"
    before = memory.resident()
    circle = [np.ones(300 * 2**17)]  # 300 MB
    circle.append(circle)
    block = device.cpu.empty((100 * 2**18,), np.float32)
    block[...] = 1
    used = memory.resident()
    assert used > before + 250
    memory._floor = before - 400
    assert memory.give_back()
    assert memory.resident() > used - 50, "all of it is used"
    del circle, block
    memory._floor = before - 400
    assert memory.give_back()
    assert memory.resident() < used - 250
    assert not memory.give_back()
    assert memory.peak() > used - 50
