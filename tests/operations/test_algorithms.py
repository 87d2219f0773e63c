"""Which algorithm computes a convolution: borders of zeros where they are few and windows large."""

import pytest

from fastcnn.geometry import conv2d
from fastcnn.operations.algorithms import _padded


def of(n=1, size=7, window=5, padding=2):
    return conv2d((n, size, size, 3), 4, (window, window), padding=((padding, padding), (padding, padding)))


def test_a_large_window_on_a_small_image_sees_its_border_as_part_of_the_image():
    g = of()
    padded = _padded(g)
    assert (padded[0]["h"], padded[0]["w"]) == (11, 11)
    assert [padded[0][side] for side in ("top", "bottom", "left", "right")] == [0] * 4
    same = [name for name in g.dtype.names if name not in ("h", "w", "top", "bottom", "left", "right")]
    assert [padded[0][name] for name in same] == [g[0][name] for name in same]
    assert (g[0]["h"], g[0]["top"]) == (7, 2), "what was given is not written"


@pytest.mark.parametrize("case", [{"window": 3, "padding": 1}, {"padding": 0}, {"n": 2}, {"size": 9}])
def test_else_the_geometry_stays(case):
    assert _padded(of(**case)) is None


def test_a_border_that_is_cut_off_is_no_border_of_zeros():
    g = of().copy()
    g["top"], g["bottom"] = -1, 3
    assert _padded(g) is None
