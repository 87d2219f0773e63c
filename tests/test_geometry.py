import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcnn import geometry
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import padding_of, several
from fastcnn.geometry.reshape import free_target

small = st.integers(1, 5)


def _starts(length, window, stride, dilation, before, after):
    """Return where windows start, by sliding one over the padded input until it hangs over the end."""
    span = [offset * dilation for offset in range(window)]
    starts = []
    for start in itertools.count(-before, stride):
        if start + span[-1] >= length + after:
            return starts
        starts.append(start)


@given(st.integers(1, 20), small, small, small, st.integers(0, 4), st.integers(0, 4))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_output_length_counts_the_windows(length, window, stride, dilation, before, after):
    expected = len(_starts(length, window, stride, dilation, before, after))
    assert geometry.output_length(length, window, stride, dilation, before, after) == expected


@given(st.integers(1, 20), small, small, small)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_same_padding_is_the_least_that_gives_a_window_for_every_stride(length, window, stride, dilation):
    before, after = geometry.same_padding(length, window, stride, dilation)
    wanted = len(range(0, length, stride))
    assert len(_starts(length, window, stride, dilation, before, after)) == wanted
    assert 0 <= after - before <= 1
    if before + after > 0:
        assert len(_starts(length, window, stride, dilation, 0, before + after - 1)) < wanted


@given(st.data())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_convolution_s_geometry_is_what_a_sliding_window_finds(data):
    size, strides, dilation = [(data.draw(small), data.draw(small)) for _ in range(3)]
    border = st.tuples(st.integers(0, 3), st.integers(0, 3))
    names = st.sampled_from(["valid", "same"])
    padding = data.draw(st.one_of(names, st.integers(0, 3), border, st.tuples(border, border)))
    shape = (2, data.draw(st.integers(1, 12)), data.draw(st.integers(1, 12)), 6)
    (top, bottom), (left, right) = padding_of(padding, shape[1:3], size, strides, dilation, "test")
    rows = _starts(shape[1], size[0], strides[0], dilation[0], top, bottom)
    columns = _starts(shape[2], size[1], strides[1], dilation[1], left, right)
    if not rows or not columns:
        with pytest.raises(ArgumentError, match="test: expected an input that a window of"):
            geometry.conv2d(shape, 9, size, strides, padding, dilation, 3, "test")
        return
    found = geometry.conv2d(shape, 9, size, strides, padding, dilation, 3, "test")
    assert found.shape == (1,)
    expected = {"n": 2, "h": shape[1], "w": shape[2], "c": 6, "oh": len(rows), "ow": len(columns), "k": 9,
                "kh": size[0], "kw": size[1], "sh": strides[0], "sw": strides[1], "dh": dilation[0], "dw": dilation[1],
                "top": top, "bottom": bottom, "left": left, "right": right, "groups": 3}
    assert {name: int(found[0][name]) for name in found.dtype.names} == expected


@pytest.mark.parametrize(("padding", "expected"), [
    ("valid", ((0, 0), (0, 0))), (2, ((2, 2), (2, 2))), ((1, 2), ((1, 1), (2, 2))),
    (((1, 2), (3, 4)), ((1, 2), (3, 4))), ("same", ((1, 1), (0, 1)))])
def test_padding_is_understood_in_every_form(padding, expected):
    assert padding_of(padding, (6, 6), (3, 2), (1, 1), (1, 1), "test") == expected


@pytest.mark.parametrize("padding", ["full", (1, 2, 3), -1, (1, -2), ((1, 2), (3, 4, 5))])
def test_a_padding_that_cannot_be_is_refused_by_name(padding):
    with pytest.raises(ArgumentError, match="who: padding: expected"):
        padding_of(padding, (6, 6), (3, 2), (1, 1), (1, 1), "who")


@pytest.mark.parametrize("value", [0, -1, 1.5, True, (1,), (1, 2, 3), (1, 0), "2", None])
def test_a_pair_that_cannot_be_is_refused(value):
    with pytest.raises(ArgumentError, match="who: expected an integer of at least 1 or 2 of them, got"):
        several(value, 2, "who")


def test_a_pair_is_one_integer_or_two():
    assert several(3, 2, "who") == (3, 3)
    assert several((3, 4), 2, "who") == (3, 4)
    assert several([np.int64(3), 4], 2, "who") == (3, 4)


def test_groups_must_divide_channels_and_filters():
    for channels, filters in ((5, 4), (4, 5)):
        with pytest.raises(ArgumentError, match="divisible by groups=2"):
            geometry.conv2d((1, 5, 5, channels), filters, (3, 3), groups=2)


def test_geometries_are_made_once_and_writable():
    first = geometry.conv2d((1, 5, 5, 1), 2, (3, 3))
    assert geometry.conv2d((1, 5, 5, 1), 2, (3, 3)) is first
    assert first.flags.writeable


def test_pooling_and_dense_geometries():
    pool = geometry.pool2d((2, 7, 6, 5), (3, 2), (2, 2), "same")[0]
    assert [int(pool[name]) for name in ("n", "h", "w", "c", "oh", "ow", "kh", "kw")] == [2, 7, 6, 5, 4, 3, 3, 2]
    dense = geometry.dense(8, 5, 3)[0]
    assert [int(dense[name]) for name in ("n", "h", "w", "c", "oh", "ow", "k")] == [1, 1, 8, 5, 1, 8, 3]


def test_a_reshape_is_free_where_its_sizes_tell_how():
    assert free_target((4, 5, 6), (20, 6)) == (-1, 6)
    assert free_target((4, 5, 6), (4, 5, 3, 2)) == (0, 0, 3, 2)
    assert free_target((4, 5, 3, 2), (4, 5, 6)) == (0, 0, -1)
    assert free_target((20, 6), (4, 5, 6)) == (4, 5, 6)
    assert free_target((4, 5, 6), (120,)) == (-1,)
    assert free_target((1, 5), (5, 1)) == (-1, 1)
    assert free_target((4, 5, 6, 7), (20, 42)) == (-1, 42)
    assert free_target((4, 6), (4, 1, 6)) == (0, 1, 6)
    assert free_target((5,), (5, 1)) == (0, 1)
