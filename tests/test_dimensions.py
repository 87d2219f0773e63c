import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcnn import geometry
from fastcnn.geometry import dimensions


@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3),
       st.sampled_from(["valid", "same", (1, 0), (0, 2)]), st.integers(0, 3), st.booleans())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_transposed_convolution_is_as_long_as_what_its_convolution_takes_back(i, k, s, d, padding, extra, absent):
    given_ = None if absent else (min(extra, max(s, d) - 1),)
    try:
        (length,), ((before, after),) = dimensions.transposed_lengths((i,), (k,), (s,), padding, given_, (d,), "it")
    except geometry.ArgumentError:
        return
    assert before >= 0
    assert (i - 1) * s + (k - 1) * d + 1 - before - after == length
    if padding == "same" and absent:
        assert length == i * s
    if padding == "valid" and absent:
        assert length == (i - 1) * s + max(s, (k - 1) * d + 1)
    if after >= 0:  # nothing beside the windows: the convolution fits exactly
        assert geometry.output_length(length, k, s, d, before, after) == i


@pytest.mark.parametrize(("size", "options", "images"), [
    ((1, 3, 3), {"padding": "same"}, (10, 6, 7)), ((1, 1, 1), {}, (10, 6, 7)),
    ((1, 3, 3), {"strides": (1, 2, 2)}, (10, 6, 7)), ((3, 1, 1), {"strides": (2, 1, 1)}, (2, 5, 42)),
    ((3, 1, 1), {"padding": "same"}, (2, 5, 42)), ((1, 3, 3), {"strides": (2, 1, 1)}, None), ((2, 2, 1), {}, None),
    ((2, 1, 1), {"strides": (1, 1, 2)}, None), ((3, 1, 1), {"padding": ((0, 0), (1, 0), (0, 0))}, None)])
def test_a_volume_of_which_one_dimension_stands_alone_is_images(size, options, images):
    g = dimensions.conv3d((2, 5, 6, 7, 3), 4, size, **options)
    found = tuple(int(g[0][name]) for name in ("n", "h", "w")) if g.dtype == geometry.CONV2D else None
    assert found == images


def test_a_signal_is_an_image_of_one_row():
    g = dimensions.conv1d((2, 9, 3), 4, (3,), (2,), "causal", (2,))
    np.testing.assert_array_equal(g, geometry.conv2d((2, 1, 9, 3), 4, (1, 3), (1, 2), ((0, 0), (4, 0)), (1, 2)))
