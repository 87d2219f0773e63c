"""A letterbox and its inverse, over all sizes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastcnn as fc

sides = st.integers(1, 2000)


@settings(max_examples=500)
@given(sides, sides, sides, sides, st.booleans(), st.data())
def test_boxes_come_back_exactly_and_the_image_fills_its_place(h, w, height, width, enlarge, data):
    box = fc.vision.boxes.Letterbox((h, w), (height, width), enlarge)
    new_h, new_w = box.new_size
    assert 1 <= new_h <= height
    assert 1 <= new_w <= width
    assert new_h == height or new_w == width or (not enlarge and (new_h, new_w) == (h, w))
    whole = box.apply([[0, 0, w, h]])
    assert whole.tolist() == [[box.left, box.top, box.left + new_w, box.top + new_h]]
    x = sorted(data.draw(st.integers(0, 4 * w)) / 4 for _ in range(2))
    y = sorted(data.draw(st.integers(0, 4 * h)) / 4 for _ in range(2))
    some = np.array([[x[0], y[0], x[1], y[1]], [0, 0, w, h]], np.float32)
    np.testing.assert_array_equal(box.invert(box.apply(some)), some)
    np.testing.assert_array_equal(box.invert_points(box.apply_points(some[:, :2])), some[:, :2])


@pytest.mark.parametrize(("image", "size", "new", "at"), [
    ((480, 640), (320, 320), (240, 320), (40, 0)), ((640, 480), (320, 320), (320, 240), (0, 40)),
    ((100, 100), (101, 50), (50, 50), (25, 0)), ((1, 2000), (10, 10), (1, 10), (4, 0)),
    ((3, 5), (7, 7), (4, 7), (1, 0)),
])
def test_places_are_whole_numbers(image, size, new, at):
    box = fc.vision.boxes.Letterbox(image, size)
    assert (box.new_size, (box.top, box.left)) == (new, at)


def test_a_small_image_may_keep_its_size():
    box = fc.vision.boxes.Letterbox((10, 20), (40, 40), enlarge=False)
    assert (box.new_size, box.top, box.left) == ((10, 20), 15, 10)
    assert fc.vision.boxes.Letterbox((80, 20), (40, 40), enlarge=False).new_size == (40, 10)
