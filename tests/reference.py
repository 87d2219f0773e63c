"""Twins of the kernels: the same operations written to be obvious, in float64, slow, and sharing no code with them.

A twin has the name of its kernel. It takes the kernel's inputs, parameters, scalars and geometry, and returns what the
kernel writes (several outputs as a tuple, in the kernel's order); it knows no scratch.
"""

import functools

import numpy as np

from fastcnn import geometry as shapes
from tests.reference_activation import activation_backward, activation_forward
from tests.reference_augmentation import (  # noqa: F401
    augment,
    blur,
    channel_means,
    color_backward,
    fill_boxes,
    mix_images,
    mix_images_backward,
    tone_images,
    tone_images_backward,
    warp_backward,
)
from tests.reference_bf16 import (  # noqa: F401
    add_bfloat16,
    add_products_of_pairs,
    bfloat16_conv2d_backward_input,
    bfloat16_conv2d_backward_weights,
    bfloat16_conv2d_forward,
    narrow_bfloat16,
    pad_short_pixels,
    pairs_conv2d_backward_input,
    pairs_conv2d_backward_weights,
    pairs_conv2d_forward,
    pairs_inverted_residual_forward,
    relu_backward_bfloat16,
    round_bfloat16,
    tile_product,
    widen_bfloat16,
)
from tests.reference_cells import cell_loss  # noqa: F401
from tests.reference_evaluation import match_detections  # noqa: F401
from tests.reference_function import (  # noqa: F401
    binary_forward,
    function_backward,
    function_forward,
    reduce_rows_backward,
    reduce_rows_forward,
    top_rows_backward,
    top_rows_forward,
)
from tests.reference_int8 import (  # noqa: F401
    byte_border,
    byte_max_pool2d,
    byte_table,
    byte_tile_product,
    dequantize_bytes,
    quantize_bytes,
    quantized_add,
    quantized_average_pool2d,
    quantized_conv2d,
    quantized_depthwise2d,
    quantized_tiles2d,
)
from tests.reference_merge import (  # noqa: F401
    merge_backward,
    merge_forward,
    unit_rows_backward,
    unit_rows_forward,
)
from tests.reference_norms import (  # noqa: F401
    dropout,
    gaussian_noise,
    group_norm_backward,
    group_norm_forward,
    local_response_norm_backward,
    local_response_norm_forward,
    permute,
    uniform_numbers,
)
from tests.reference_pool import (  # a twin is looked up here, whatever file it stands in
    average_pool2d_backward,
    average_pool2d_forward,
    l2_step,  # noqa: F401
    max_pool2d_backward,
    max_pool2d_forward,
    pad3d_backward,  # noqa: F401
    pad3d_forward,  # noqa: F401
    resize2d,  # noqa: F401
)
from tests.reference_regions import (  # noqa: F401
    best_detections,
    box_loss,
    box_overlaps,
    decode_boxes,
    decode_boxes_backward,
    decode_cells,
    decode_cells_backward,
    encode_boxes,
    grid_sample_backward,
    grid_sample_forward,
    match_boxes,
    order_rows,
    roi_align_backward,
    roi_align_forward,
    roi_pool_backward,
    roi_pool_forward,
    suppress_boxes,
)
from tests.reference_training import (  # noqa: F401
    adam,
    adaptive_step,
    binary_loss,
    bound_norms,
    categorical_crossentropy,
    elementwise_loss,
    factored_step,
    fold_losses,
    moving_average,
    penalty,
    row_loss,
    scale_parts,
    sgd,
    softmax_categorical_crossentropy,
    softmax_sparse_categorical_crossentropy,
    sparse_categorical_crossentropy,
    squared_norms,
    triplet_loss,
)


def _double(*arrays):
    return tuple(np.asarray(a, dtype=np.float64) for a in arrays)


# --- softmax.py -------------------------------------------------------------------------------------------------------


def softmax_forward(x, log_of_it):
    (x,) = _double(x)
    e = np.exp(x - x.max(axis=1, keepdims=True, initial=-np.inf))
    y = e / e.sum(axis=1, keepdims=True)
    return np.log(y) if log_of_it else y


def softmax_backward(dy, y, log_of_it):
    """Return the gradient through the whole matrix of derivatives."""
    dy, y = _double(dy, y)
    dx = np.zeros_like(y)
    for i, row in enumerate(y):
        p = np.exp(row) if log_of_it else row
        identity = np.eye(len(p))
        jacobian = identity - p[None, :] if log_of_it else p[:, None] * (identity - p[None, :])
        dx[i] = dy[i] @ jacobian
    return dx


# --- batchnorm.py -----------------------------------------------------------------------------------------------------


def _or(values, channels, default):
    return np.asarray(values, np.float64) if values.size else np.full(channels, float(default))


def _rectified(y, slope):
    return np.where(y < 0, slope * y, y)


def batch_norm_forward(moving_mean, moving_variance, x, addend, gamma, beta, momentum, epsilon, slope, ceiling):
    """Return y, mean, rstd, and the moving statistics as they become."""
    x, moving_mean, moving_variance = _double(x, moving_mean, moving_variance)
    gamma, beta = _or(gamma, x.shape[1], 1), _or(beta, x.shape[1], 0)
    if len(x) == 0:
        return x, np.zeros(x.shape[1]), np.full(x.shape[1], epsilon**-0.5), moving_mean, moving_variance
    mean, variance = x.mean(axis=0), x.var(axis=0)
    y = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta
    y = y if addend.size == 0 else y + addend.astype(np.float64).reshape(y.shape)
    return (np.minimum(_rectified(y, slope), ceiling), mean, 1 / np.sqrt(variance + epsilon),
            momentum * moving_mean + (1 - momentum) * mean, momentum * moving_variance + (1 - momentum) * variance)


def batch_norm_predict(x, gamma, beta, mean, variance, epsilon, slope, ceiling):
    x, mean, variance = _double(x, mean, variance)
    gamma, beta = _or(gamma, x.shape[1], 1), _or(beta, x.shape[1], 0)
    return np.minimum(_rectified(gamma * (x - mean) / np.sqrt(variance + epsilon) + beta, slope), ceiling)


def batch_norm_backward(dy, x, mean, rstd, gamma, beta, slope, ceiling):
    """Return dx, and what is to be added to the gradients of gamma and beta."""
    dy, x, mean, rstd = _double(dy, x, mean, rstd)
    gamma, beta = _or(gamma, x.shape[1], 1), _or(beta, x.shape[1], 0)
    if len(x) == 0:
        return x, np.zeros(x.shape[1]), np.zeros(x.shape[1])
    normalized = (x - mean) * rstd
    y = gamma * normalized + beta
    dy = np.where(y >= ceiling, 0, np.where(y <= 0, slope * dy, dy))
    dnormalized = dy * gamma
    dx = rstd * (dnormalized - dnormalized.mean(axis=0) - normalized * (dnormalized * normalized).mean(axis=0))
    return dx, (dy * normalized).sum(axis=0), dy.sum(axis=0)


def batch_norm_pool_forward(moving_mean, moving_variance, x, gamma, beta, momentum, epsilon, slope, ceiling, geometry):
    """Return y, argmax, mean, rstd, and the moving statistics as they become."""
    y, *rest = batch_norm_forward(moving_mean, moving_variance, x.reshape(-1, x.shape[-1]), x.reshape(-1)[:0], gamma,
                                  beta, momentum, epsilon, slope, ceiling)
    return (*max_pool2d_forward(y.reshape(x.shape), geometry), *rest)


def batch_norm_pool_backward(dy, argmax, x, mean, rstd, gamma, beta, slope, ceiling, geometry):
    """Return dx, and what is to be added to the gradients of gamma and beta."""
    dy, rows = max_pool2d_backward(dy, argmax, geometry), (-1, x.shape[-1])
    dx, *rest = batch_norm_backward(dy.reshape(rows), x.reshape(rows), mean, rstd, gamma, beta, slope, ceiling)
    return dx.reshape(x.shape), *rest



# --- arrays.py --------------------------------------------------------------------------------------------------------


def gather(source, index):
    return np.array([source[i] for i in index], dtype=np.float64).reshape(len(index), source.shape[1])


def add(a, b):
    a, b = _double(a, b)
    return a + b


def copy_columns(out, to, source, of, columns):
    """Return `out` as it becomes."""
    out, source = _double(out, source)
    return np.concatenate([out[:, :to], source[:, of:of + columns], out[:, to + columns:]], axis=1)


def pad2d(shape, x, top, left):
    """Return zeros of `shape` with x in the middle."""
    y = np.zeros(shape)
    y[:, top:top + x.shape[1], left:left + x.shape[2]] = x
    return y


# --- peak.py ----------------------------------------------------------------------------------------------------------


def multiply_add_chain(x, scale, shift, steps):
    (y,) = _double(x)
    for _ in range(steps):
        y = y * scale + shift
    return y


def triad(a, b, scale, repeats):
    a, b = _double(a, b)
    return a + scale * b


def repeated_copy(x, repeats):
    return _double(x)[0]


# --- conv.py ----------------------------------------------------------------------------------------------------------


def _positions(geometry):
    """Yield (r, s, i, j, row, column): window position, output pixel, and the input pixel that they meet at."""
    g = {name: int(geometry[0][name]) for name in geometry.dtype.names}
    for r in range(g["kh"]):
        for s in range(g["kw"]):
            for i in range(g["oh"]):
                for j in range(g["ow"]):
                    row = i * g["sh"] + r * g["dh"] - g["top"]
                    column = j * g["sw"] + s * g["dw"] - g["left"]
                    if 0 <= row < g["h"] and 0 <= column < g["w"]:
                        yield r, s, i, j, row, column


def _groups(geometry):
    """Yield the input and the output channels of each group, as slices."""
    g = geometry[0]
    c, k = int(g["c"] // g["groups"]), int(g["k"] // g["groups"])
    for group in range(int(g["groups"])):
        yield slice(group * c, (group + 1) * c), slice(group * k, (group + 1) * k)


def _output_shape(geometry, channels="c"):
    return tuple(int(geometry[0][name]) for name in ("n", "oh", "ow", channels))


LINEAR = (-np.inf, np.inf)


def _bounded(y, bounds):
    y = np.where(y < bounds[0], bounds[0], y)
    y = np.where(y > bounds[1], bounds[1], y)
    return y if len(bounds) < 3 else activation_forward(y, int(bounds[2]), 0.0, 0.0)


def _remembered(products):
    """Remember the last results: a test asks for many biases, addends and bounds of one convolution."""
    known = {}

    @functools.wraps(products)
    def result(*arrays):
        key = tuple((array.shape, array.dtype.str, array.tobytes()) for array in arrays)
        if key not in known:
            if len(known) == 2:
                known.clear()
            known[key] = products(*arrays)
        return known[key].copy()

    return result


@_remembered
def _products(x, kernel, geometry):
    y = np.zeros(_output_shape(geometry, "k"))
    for r, s, i, j, row, column in _positions(geometry):
        for into, out in _groups(geometry):
            y[:, i, j, out] += x[:, row, column, into] @ kernel[r, s, :, out]
    return y


@_remembered
def _products_back(dy, kernel, geometry):
    dx = np.zeros([int(geometry[0][name]) for name in ("n", "h", "w", "c")])
    for r, s, i, j, row, column in _positions(geometry):
        for into, out in _groups(geometry):
            dx[:, row, column, into] += dy[:, i, j, out] @ kernel[r, s, :, out].T
    return dx


def conv2d_forward(x, kernel, bias, addend, bounds, geometry):
    x, kernel, bias = _double(x, kernel, bias)
    y = _products(x, kernel, geometry)
    if bias.size:
        y += bias
    if addend.size:
        y += addend.reshape(y.shape)
    return _bounded(y, bounds)


def scaled_conv2d_forward(x, scale, offset, kernel, bias, addend, bounds, relu, geometry):
    n, h, w, c = (int(geometry[0][name]) for name in ("n", "h", "w", "c"))
    x, scale, offset = _double(x, scale, offset)
    x = x[:, :c].reshape(n, h, w, c) * scale[:, None, None, :]
    if offset.size:
        x = x + offset
        x = np.where(x < 0, 0, x) if relu else x
    return conv2d_forward(x, kernel, bias, addend, bounds, geometry).reshape(n * h * w, kernel.shape[3])


def few_filters_forward(x, kernel, bias, addend, bounds, geometry):
    return conv2d_forward(x, kernel, bias, addend, bounds, geometry)


def few_filters_backward_input(dy, kernel, bias, bounds, geometry):
    return conv2d_backward_input(dy, kernel, bias, bounds, geometry)


def conv2d_backward_input(dy, kernel, bias, bounds, geometry):
    dy, kernel, bias = _double(dy, kernel, bias)
    dx = _products_back(dy, kernel, geometry)
    if bias.size:
        dx += bias
    return _bounded(dx, bounds)


def conv2d_backward_weights(x, dy, geometry):
    """Return what is to be added to dkernel and dbias."""
    x, dy = _double(x, dy)
    g = geometry[0]
    dkernel = np.zeros((g["kh"], g["kw"], g["c"] // g["groups"], g["k"]))
    for r, s, i, j, row, column in _positions(geometry):
        for into, out in _groups(geometry):
            dkernel[r, s, :, out] += x[:, row, column, into].T @ dy[:, i, j, out]
    return dkernel, dy.sum(axis=(0, 1, 2))


def narrow_backward_weights(x, dy, geometry):
    return conv2d_backward_weights(x, dy, geometry)


def few_filters_backward_weights(x, dy, geometry):
    return conv2d_backward_weights(x, dy, geometry)


# --- inverted.py ------------------------------------------------------------------------------------------------------


def inverted_residual_forward(x, expand, expand_bias, window, window_bias, project, project_bias, addend, bounds,
                              geometry):
    none, ends = np.empty(0), np.reshape(bounds, (3, 3))
    if expand.size:
        x = conv2d_forward(x, expand, expand_bias, none, ends[0], geometry[0:1])
    x = depthwise2d_forward(x, window, window_bias, ends[1], geometry[1:2])
    return conv2d_forward(x, project, project_bias, addend, ends[2], geometry[2:3]) if project.size else x


# --- winograd.py ------------------------------------------------------------------------------------------------------


def winograd_forward(x, kernel, bias, addend, bounds, geometry):
    return conv2d_forward(x, kernel, bias, addend, bounds, geometry)


def winograd_backward_input(dy, kernel, bias, bounds, geometry):
    return conv2d_backward_input(dy, kernel, bias, bounds, geometry)


def winograd_backward_weights(x, dy, geometry):
    return conv2d_backward_weights(x, dy, geometry)


def joined_winograd_forward(x, beside, kernel, bias, bounds, geometry):
    return conv2d_forward(np.concatenate([x, beside], 3), kernel, bias, bias[:0], bounds, geometry)


def joined_winograd_backward_input(dy, kernel, bounds, geometry, own):
    return np.split(conv2d_backward_input(dy, kernel, np.empty(0), bounds, geometry), [own], 3)


def joined_winograd_backward_weights(x, beside, dy, geometry):
    return conv2d_backward_weights(np.concatenate([x, beside], 3), dy, geometry)


# --- depthwise.py -----------------------------------------------------------------------------------------------------


@_remembered
def _depthwise_products(x, kernel, geometry):
    y = np.zeros(_output_shape(geometry))
    for r, s, i, j, row, column in _positions(geometry):
        y[:, i, j] += x[:, row, column] * kernel[r, s, 0]
    return y


@_remembered
def _depthwise_products_back(dy, kernel, geometry):
    dx = np.zeros([int(geometry[0][name]) for name in ("n", "h", "w", "c")])
    for r, s, i, j, row, column in _positions(geometry):
        dx[:, row, column] += dy[:, i, j] * kernel[r, s, 0]
    return dx


def depthwise2d_forward(x, kernel, bias, bounds, geometry):
    x, kernel, bias = _double(x, kernel, bias)
    y = _depthwise_products(x, kernel, geometry)
    if bias.size:
        y += bias
    return _bounded(y, bounds)


def depthwise2d_backward_input(dy, kernel, bias, bounds, geometry):
    dy, kernel, bias = _double(dy, kernel, bias)
    dx = _depthwise_products_back(dy, kernel, geometry)
    if bias.size:
        dx += bias
    return _bounded(dx, bounds)


def depthwise2d_backward_weights(x, dy, geometry):
    """Return what is to be added to dkernel and dbias."""
    x, dy = _double(x, dy)
    g = geometry[0]
    dkernel = np.zeros((g["kh"], g["kw"], 1, g["c"]))
    for r, s, i, j, row, column in _positions(geometry):
        dkernel[r, s, 0] += (x[:, row, column] * dy[:, i, j]).sum(axis=0)
    return dkernel, dy.sum(axis=(0, 1, 2))


# --- lanes.py ---------------------------------------------------------------------------------------------------------


def _stages(weights, geometry):
    """Yield the stages: kernel, bias, geometry of the convolution, code, alpha, and of the pooling or None."""
    for g in geometry:
        names = ("n", "h", "w", "c", "k", "kh", "kw", "top", "left")
        n, h, w, c, k, kh, kw, top, left = (int(g[name]) for name in names)
        right, bottom = g["in_row"] // c - w - left, g["in_size"] // g["in_row"] - h - top
        convolution = shapes.conv2d((n, h, w, c), k, (kh, kw), (1, 1), ((top, int(bottom)), (left, int(right))))
        kernel = weights[g["kernel_at"]:g["kernel_at"] + kh * kw * c * k].reshape(kh, kw, c, k)
        bias = weights[g["bias_at"]:g["bias_at"] + k] if g["bias_at"] >= 0 else np.empty(0)
        window = int(g["ph"]), int(g["pw"])
        image = (n, int(convolution[0]["oh"]), int(convolution[0]["ow"]), k)
        pooling = shapes.pool2d(image, window, window) if g["pool"] else None
        yield kernel, bias, convolution, int(g["code"]), float(g["alpha"]), int(g["pool"]), pooling


def lanes_forward(x, weights, geometry):
    (x,) = _double(x)
    for kernel, bias, convolution, code, alpha, kind, pooling in _stages(weights, geometry):
        x = activation_forward(conv2d_forward(x, kernel, bias, bias[:0], LINEAR, convolution), code, alpha, 0.0)
        if kind:
            x = max_pool2d_forward(x, pooling)[0] if kind == shapes.MAX_POOL else average_pool2d_forward(x, pooling)
    return x


def lanes_backward(dy, x, weights, geometry):
    """Return dx, and what is to be added to dweights; x is the input of the first stage, from which all is computed."""
    (x, dy), kept, sums = _double(x, dy), [], []
    for kernel, bias, convolution, code, alpha, kind, pooling in _stages(weights, geometry):
        z = conv2d_forward(x, kernel, bias, bias[:0], LINEAR, convolution)
        y, argmax = activation_forward(z, code, alpha, 0.0), None
        kept.append([x, z, y])
        if kind == shapes.MAX_POOL:
            y, argmax = max_pool2d_forward(y, pooling)
        elif kind:
            y = average_pool2d_forward(y, pooling)
        kept[-1].append(argmax)
        x = y
    for (kernel, bias, convolution, code, alpha, kind, pooling), (x, z, _, argmax) in zip(
            reversed(list(_stages(weights, geometry))), reversed(kept), strict=True):
        if kind == shapes.MAX_POOL:
            dy = max_pool2d_backward(dy, argmax, pooling)
        elif kind:
            dy = average_pool2d_backward(dy, pooling)
        dz = activation_backward(dy, z, code, alpha, 0.0)
        dkernel, dbias = conv2d_backward_weights(x, dz, convolution)
        sums = [dkernel.reshape(-1), *([dbias] if bias.size else []), *sums]
        dy = conv2d_backward_input(dz, kernel, np.empty(0), LINEAR, convolution)
    return dy, np.concatenate(sums)


# --- bias.py, depth.py ------------------------------------------------------------------------------------------------


def bias_backward(dy):
    """Return what is to be added to dbias."""
    return _double(dy)[0].sum(axis=0)


def _depth(geometry):
    """Yield (t, o, d): a tap, an output slice, and the slice of the input that they meet at."""
    g = {name: int(geometry[0][name]) for name in geometry.dtype.names}
    for t in range(g["kd"]):
        for o in range(g["od"]):
            d = o * g["sd"] + t * g["dd"] - g["front"]
            if 0 <= d < g["d"]:
                yield t, o, d


def unfold_depth(x, geometry):
    """Return all slices."""
    (x,), g = _double(x), {name: int(geometry[0][name]) for name in geometry.dtype.names}
    part = g["c"] // g["groups"]
    y = np.zeros((g["n"], g["od"], g["h"], g["w"], g["groups"], g["kd"], part))
    for t, o, d in _depth(geometry):
        y[:, o, :, :, :, t] = x[:, d].reshape(g["n"], g["h"], g["w"], g["groups"], part)
    return y.reshape(g["n"] * g["od"], g["h"], g["w"], g["kd"] * g["c"])


def fold_depth(dy, bias, relu, geometry):
    """Return what all slices add up to."""
    (dy, bias), g = _double(dy, bias), {name: int(geometry[0][name]) for name in geometry.dtype.names}
    part = g["c"] // g["groups"]
    parts = dy.reshape(g["n"], g["od"], g["h"], g["w"], g["groups"], g["kd"], part)
    dx = np.zeros((g["n"], g["d"], g["h"], g["w"], g["groups"], part))
    for t, o, d in _depth(geometry):
        dx[:, d] += parts[:, o, :, :, :, t]
    dx = dx.reshape(g["n"], g["d"], g["h"], g["w"], g["c"]) + (bias if bias.size else 0)
    return np.where(dx < 0, 0, dx) if relu else dx
