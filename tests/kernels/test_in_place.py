"""Kernels that may write their output over an input: the bits are those of memory apart."""

import inspect

import numpy as np
import pytest

from fastcnn import geometry as shapes
from fastcnn.kernels import codes, cpu
from fastcnn.kernels.cpu.compile.policy import registry
from tests import reference
from tests.kernels.checking import LINEAR, RELU, TYPES, many, random, unwritten

KERNELS = {name.rpartition(".")[2]: kernel for name, kernel in registry.items() if kernel.in_place}
FLAT = many(100_003)  # several chunks, the last one with a rest


def _conv(shape, filters, size, bounds, dtype, kept=True, **options):
    """Return y, and the other arguments of a convolution with an addend, by name."""
    g = shapes.conv2d(shape, filters, size, **options)
    y = unwritten(*(int(g[0][name]) for name in ("n", "oh", "ow", "k")), dtype=dtype)
    return y, {"packed": unwritten(cpu.conv2d_forward_packed(g, np.dtype(dtype), kept), dtype=dtype),
               "x": random(*shape, dtype=dtype), "kernel": random(*size, shape[3], filters, dtype=dtype),
               "bias": random(filters, dtype=dtype, seed=1), "addend": random(y.size, dtype=dtype, seed=2),
               "bounds": np.array(bounds, dtype), "ready": 0, "geometry": g}


def _scaled(shape, filters, dtype):
    n, h, w, c = shape
    g = shapes.conv2d(shape, filters, (1, 1))
    scratch, packed = (unwritten(of(g, np.dtype(dtype)), dtype=dtype) for of in
                       (cpu.scaled_conv2d_forward_scratch, cpu.scaled_conv2d_forward_packed))
    y = unwritten(n * h * w, filters, dtype=dtype)
    return y, {"scratch": scratch, "packed": packed, "x": random(n * h * w, c, dtype=dtype),
               "scale": random(1, c, dtype=dtype), "offset": random(c, dtype=dtype),
               "kernel": random(1, 1, c, filters, dtype=dtype), "bias": random(filters, dtype=dtype, seed=1),
               "addend": random(y.size, dtype=dtype, seed=2), "bounds": np.array(RELU, dtype), "relu": 1, "ready": 0,
               "geometry": g}


def _inverted_residual(shape, e, k, dtype):
    n, h, w, c = shape
    wide = n, h, w, e
    g = np.concatenate([shapes.conv2d(shape, e, (1, 1)), shapes.conv2d(wide, e, (3, 3), padding="same", groups=e),
                        shapes.conv2d(wide, k, (1, 1))])
    scratch, packed = (unwritten(of(g, np.dtype(dtype)), dtype=dtype) for of in
                       (cpu.inverted_residual_forward_scratch, cpu.inverted_residual_forward_packed))
    return unwritten(n, h, w, k, dtype=dtype), {
        "scratch": scratch, "packed": packed, "x": random(*shape, dtype=dtype),
        "expand": random(1, 1, c, e, dtype=dtype), "expand_bias": random(e, dtype=dtype),
        "window": random(3, 3, 1, e, dtype=dtype), "window_bias": random(e, dtype=dtype),
        "project": random(1, 1, e, k, dtype=dtype), "project_bias": random(k, dtype=dtype),
        "addend": random(n * h * w * k, dtype=dtype, seed=2), "bounds": np.array((0, 6, 0, 0, 6, 0, *LINEAR, 0), dtype),
        "ready": 0, "geometry": g}


def _flat(dtype, names, **others):
    arrays = {name: random(FLAT, dtype=dtype, seed=k) for k, name in enumerate(names)}
    return unwritten(FLAT, dtype=dtype), {**arrays, **others}


def _bytes(names, **others):
    rng = np.random.default_rng(0)
    arrays = {name: rng.integers(0, 256, FLAT).astype(np.uint8) for name in names}
    return np.zeros(FLAT, np.uint8), {**arrays, **others}


def _shorts(names):
    rng = np.random.default_rng(0)
    arrays = {name: reference.narrow_bfloat16(rng.standard_normal(FLAT)) for name in names}
    return np.zeros(FLAT, np.uint16), arrays


def _pairs_conv(shape, filters):
    g = shapes.conv2d(shape, filters, (1, 1)).copy()
    g["c"] //= 2
    y, addend, x = (reference.narrow_bfloat16(random(*size, seed=k)) for k, size in enumerate(
        ((*shape[:3], filters), (shape[0] * shape[1] * shape[2] * filters,), shape)))
    packed = unwritten(cpu.pairs_conv2d_forward_packed(g, np.dtype(np.float32)), dtype=np.float32)
    return y, {"packed": packed, "x": x.view(np.uint32), "kernel": random(1, 1, shape[3], filters, dtype=np.float32),
               "bias": random(filters, dtype=np.float32, seed=1), "addend": addend,
               "bounds": np.array(RELU, np.float32), "ready": 0, "geometry": g}


def _pairs_block(shape, e, k):
    _, of = _inverted_residual(shape, e, k, np.float32)
    g, x = of["geometry"].copy(), of["x"]
    g["c"][[0, 2]] //= 2
    scratch, packed = (unwritten(size(g, np.dtype(np.float32)), dtype=np.float32) for size in
                       (cpu.pairs_inverted_residual_forward_scratch, cpu.pairs_inverted_residual_forward_packed))
    return np.zeros((*shape[:3], k), np.uint16), {
        **of, "scratch": scratch, "packed": packed, "x": reference.narrow_bfloat16(x).view(np.uint32),
        "addend": reference.narrow_bfloat16(of["addend"]), "geometry": g}


def _merge(dtype, code, relu=0):
    shape = 7, 3, FLAT // 21
    return unwritten(*shape, dtype=dtype), {"a": random(*shape, dtype=dtype), "b": random(*shape, dtype=dtype, seed=1),
                                            "code": code, "alpha": 0.5, "beta": -2.0, "relu": relu}


def _batch_norm(kernel, shape, dtype, slope, *inputs, ceiling=np.inf):
    columns = ("mean", "gamma", "beta", "dgamma", "dbeta", "moving_mean")
    arrays = {name: random(*shape, dtype=dtype, seed=k) for k, name in enumerate(inputs)}
    arrays |= {name: random(shape[1], dtype=dtype, seed=k + 9) for k, name in enumerate(columns)}
    arrays["addend"] = arrays["addend"].reshape(-1) if "addend" in arrays else arrays["mean"][:0]
    arrays |= {name: abs(arrays["mean"]) + 1 for name in ("rstd", "variance", "moving_variance")}
    scratch = unwritten(getattr(cpu, f"{kernel}_scratch")(shape, np.dtype(dtype)), dtype=dtype)
    others = {"scratch": scratch, "slope": slope, "ceiling": ceiling, "epsilon": 1e-3, "momentum": 0.9}
    return unwritten(*shape, dtype=dtype), {**arrays, **others}


def _batch_norm_pool(dtype):
    shape, c = (many(40), 9, 8, 7), 7
    g = shapes.pool2d(shape, (2, 3), (2, 3))
    columns = "mean", "gamma", "beta", "dgamma", "dbeta"
    arrays = {name: random(c, dtype=dtype, seed=k) for k, name in enumerate(columns)}
    scratch = unwritten(cpu.batch_norm_pool_backward_scratch(g, np.dtype(dtype)), dtype=dtype)
    return unwritten(*shape, dtype=dtype), arrays | {
        "rstd": abs(arrays["mean"]) + 1, "scratch": scratch, "x": random(*shape, dtype=dtype),
        "dy": random(shape[0], 4, 2, c, dtype=dtype, seed=5), "slope": 0.2, "ceiling": np.inf, "geometry": g,
        "argmax": np.random.default_rng(0).integers(0, 6, (shape[0], 4, 2, c)).astype(np.uint8)}


#: Kernel -> calls of it, each a function of the type: its output, and its other arguments (and more) by name.
CALLS = {
    "activation_backward": [lambda t: _flat(t, ("dy", "saved"), code=codes.TANH, alpha=0.0, beta=0.0)],
    "activation_forward": [lambda t: _flat(t, ("x",), code=codes.TANH, alpha=0.0, beta=0.0)],
    "add": [lambda t: _flat(t, ("a", "b"))],
    "batch_norm_backward": [lambda t: _batch_norm("batch_norm_backward", (many(9001), 7), t, 0.2, "dy", "x")],
    "batch_norm_forward": [lambda t: _batch_norm("batch_norm_forward", (many(9001), 7), t, 1.0, "x", "addend"),
                           lambda t: _batch_norm("batch_norm_forward", (3, 70), t, 0.0, "x", "addend", ceiling=1.0)],
    "batch_norm_pool_backward": [_batch_norm_pool],
    "batch_norm_predict": [lambda t: _batch_norm("batch_norm_predict", (many(9001), 7), t, 0.0, "x")],
    "conv2d_forward": [lambda t: _conv((2, 9, 8, 20), 70, (1, 1), RELU, t),
                       lambda t: _conv((1, 7, 5, 6), 33, (3, 3), LINEAR, t, padding="same"),
                       lambda t: _conv((5, 1, 1, 40), 16, (1, 1), LINEAR, t, kept=False)],
    "dropout": [lambda t: _flat(t, ("x",), rate=0.3, seed=1, step=2)],
    "gaussian_noise": [lambda t: _flat(t, ("x",), stddev=0.5, multiplied=1, seed=1, step=2)],
    "inverted_residual_forward": [lambda t: _inverted_residual((2, 9, 8, 5), 21, 7, t)],
    "l2_step": [lambda t, step=step: _flat(t, ("a", "b"), step=step) for step in (codes.L2_PRODUCT, codes.L2_QUOTIENT)]
    + [lambda t: _flat(t, ("b",), a=abs(random(FLAT, dtype=t)), step=codes.L2_ROOT)],
    "scaled_conv2d_forward": [lambda t: _scaled((2, 9, 8, 20), 70, t)],
    "merge_forward": [lambda t, code=code: _merge(t, code) for code in
                      (codes.PRODUCT, codes.MAXIMUM, codes.MINIMUM, codes.PRELU, codes.MASK)]
    + [lambda t: _merge(t, codes.SUM, relu=1)],
}


#: The same for kernels of bytes, which have no other type.
BYTE_CALLS = {
    "byte_table": [lambda t: _bytes(("x",), table=np.random.default_rng(9).permutation(256).astype(t))],
    "quantized_add": [lambda t: _bytes(("a", "b"), scales=np.array([0.7, 0.31], np.float32),
                                       bounds=np.array([-7, 248], np.float32), zeros=np.array([3, 120, 7]))],
}


#: And of numbers of 16 bits.
SHORT_CALLS = {
    "add_bfloat16": [lambda t: _shorts(("a", "b"))],
    "pairs_conv2d_forward": [lambda t: _pairs_conv((2, 9, 8, 20), 70)],
    "pairs_inverted_residual_forward": [lambda t: _pairs_block((2, 9, 8, 6), 22, 7)],
    "relu_backward_bfloat16": [lambda t: _shorts(("dy", "y"))],
}


def test_every_kernel_that_may_write_over_an_input_is_tried():
    assert KERNELS.keys() == CALLS.keys() | BYTE_CALLS.keys() | SHORT_CALLS.keys()


def _args(parameters, call, dtype):
    y, given = call(dtype)
    return [y, *(given[parameter] for parameter in parameters[1:])]


@pytest.mark.parametrize(("name", "call", "dtype"), [
    (name, call, dtype) for table, types in ((CALLS, TYPES), (BYTE_CALLS, (np.uint8,)), (SHORT_CALLS, (np.uint16,)))
    for name, calls in table.items() for call in calls for dtype in types])
def test_an_output_over_an_input_has_the_bits_of_memory_apart(name, call, dtype):
    kernel = KERNELS[name]
    parameters = list(inspect.signature(kernel.py_func).parameters)
    for over in kernel.in_place:
        apart, args = _args(parameters, call, dtype), _args(parameters, call, dtype)
        kernel(*apart)
        args[0] = args[over].reshape(args[0].shape)
        kernel(*args)
        for k, parameter in enumerate(parameters):
            if k != over and parameter != "scratch":  # what `apart` has kept, and what has no meaning
                np.testing.assert_array_equal(args[k], apart[k], err_msg=f"{parameter}, over {parameters[over]}")
        assert args[0].tobytes() == apart[0].tobytes()
        assert np.isfinite(args[0]).all()
