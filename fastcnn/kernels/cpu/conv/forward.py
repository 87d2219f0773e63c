"""2D convolution, the forward pass, on the register tile. ONNX: Conv.

    y[n, i, j, k] = bias[k] + sum_r sum_s sum_c  x[n, i sh + r dh - top, j sw + s dw - left, c] * kernel[r, s, c, k]

The filters are packed in blocks (`gemm/packing.py`), or were packed before; then the tile walks the image where it lies
(`gemm/taps.py`), positions that see the same taps together, and what lies outside the image is never touched::

    x, channels-last                   14 output positions         B = packed filters of a block
    r=0  |c c c|c c c|c c c|..         | | | | | | | | | | ...     (r, s, c) x width, streams from L2
    r=1  |c c c|c c c|c c c|..         each reads its window's     accumulators: 14 positions x width filters
    ..    s and c contiguous           rows from L1

For very few rows, such as a dense layer with a small batch, filters that would not be kept are read unpacked, since
packing would take most of the time. Packed filters stream from memory and take a third of the time of unpacked ones.
A task is a band of rows of an image, or some images, with all filters. If the filters are larger than the images, it
has a part of the blocks of filters. A dense layer is a 1x1 convolution.

The gradients lie in `backward_input.py` and `backward_weights.py`.
"""

from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined, kernel, parallel
from fastcnn.kernels.cpu.conv.plan import is_pointwise
from fastcnn.kernels.cpu.gemm.packing import blocks_of, pack_filters, pack_start, packed_size, start_of
from fastcnn.kernels.cpu.gemm.shares import cut, share_of
from fastcnn.kernels.cpu.gemm.taps import FilterBank, Images, OutputRange, cover, dimension
from fastcnn.kernels.cpu.gemm.tile import M0
from fastcnn.kernels.cpu.simd.memory import at3
from fastcnn.kernels.cpu.simd.width import lanes


def conv2d_forward_packed(geometry, dtype, kept=True):
    """Return how many elements `packed` of `conv2d_forward` has: less, where filters are not kept, for few rows."""
    g = geometry[0]
    cg, kg = g["c"] // g["groups"], g["k"] // g["groups"]
    depth = 0 if not kept and _few_rows(g, lanes(dtype)) else g["kh"] * g["kw"] * cg
    return int(packed_size(g["groups"], kg, depth, dtype))


@inlined
def _few_rows(g, one):
    """Whether filters that are not kept are read unpacked: for one tile of rows, and filters in whole vectors."""
    return g["groups"] == 1 and g["k"] % one == 0 and g["n"] * g["oh"] * g["ow"] <= M0


@kernel(in_place=("addend",))
def conv2d_forward(y, packed, x, kernel, bias, addend, bounds, ready, geometry):
    """y = conv(x, kernel) + bias + addend, and what is beyond the bounds set to them.

    Parameters
    ----------
    y : (N, OH, OW, K) array
        Written.
    packed : (conv2d_forward_packed(geometry, dtype, kept),) array
        The filters and the bias as the tile reads them: written, or read if `ready`. One that is not kept has no
        filters, where there are few rows.
    x : (N, H, W, C) array
    kernel : (KH, KW, C // groups, K) array
    bias : (K,) or (0,) array
    addend : (y.size,) or (0,) array
        Lies as y does.
    bounds : (2,) or (3,) array
        The lowest and the highest result: 0 and infinity for ReLU, minus infinity and infinity for no bounds. A third
        number is the code of an activation of the results, where `epilogue_activation_suits`.
    ready : int
        1 if `packed` is what an earlier call with the same kernel and bias left, for any batch with a `packed` of
        this size.
    geometry : CONV2D
    """
    g = geometry[0]
    groups, kg, cg = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"]
    kf, depth = kernel.reshape(-1), g["kh"] * g["kw"] * cg
    in_bank = packed.size <= start_of(packed, groups, kg, depth)  # room for the start values alone
    depth = 0 if in_bank else depth
    start = start_of(packed, groups, kg, depth)
    if not ready:
        pack_start(packed, start, bias, groups, kg)
        if not in_bank:
            pack_filters(packed, kf, groups, kg, depth)
    width = blocks_of(packed, kg)[0]
    # One call for both, so that the task is compiled once: the bank is as good an array as the packed one.
    filters, row, block = (kf, g["k"], width) if in_bank else (packed, width, depth * width)
    multiply(y.reshape(-1), FilterBank(filters, row, block, packed, start), x.reshape(-1), addend, bounds, geometry)


@inlined
def multiply(y, bank, x, addend, bounds, geometry):
    """y = x times the filters of a bank, over the threads; all arrays flat."""
    g = geometry[0]
    tasks, images, bands, parts = tasks_of(g, blocks_of(y, g["k"] // g["groups"])[1])
    parallel(_task, tasks, (y, bank, x, addend, bounds, (images, bands, parts), geometry))


@inlined
def _images(g):
    """Return images, output rows and columns: to a pointwise convolution every pixel is a row."""
    if is_pointwise(g):
        return at3(1, g["n"] * g["oh"] * g["ow"], 1)
    return at3(g["n"], g["oh"], g["ow"])


@inlined
def tasks_of(g, blocks):
    """Return tasks, images of a task, bands of an image, and parts of the blocks."""
    n, oh, ow = _images(g)
    weights = g["kh"] * g["kw"] * (g["c"] // g["groups"]) * g["k"]
    images, rows, parts = cut(n, oh, ow, g["n"] * g["h"] * g["w"] * g["c"], weights, blocks, weights)
    parts = parts if g["groups"] == 1 else 1
    items, bands = -(-n // images), -(-oh // rows)
    if bands > 1 and items * bands * parts % 2 != 0:  # two threads have as many tasks each
        bands = min(bands + 1, -(-oh // _unit(ow)))
    return items * bands * parts, images, bands, parts


@inlined
def _unit(ow):
    """Return rows that bands are made of: where pixels are rows, as many as a tile has."""
    return M0 if ow == 1 else 1


@inlined
def _task(task, y, bank, x, addend, bounds, shares, geometry):
    """Some images or a band of one, and a part of the blocks."""
    g, (images, bands, parts) = geometry[0], shares
    groups, kg, cg = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"]
    n, oh, ow = _images(g)
    blocks, unit = blocks_of(y, kg)[1], _unit(ow)
    item, part = share_of(task, -(-n // images) * bands, parts, kg * g["kh"] * g["kw"], g["n"] * g["h"] * g["w"])
    image, (low, high) = item // bands * images, chunk_of(item % bands, bands, -(-oh // unit))
    h, w = (oh, ow) if is_pointwise(g) else (g["h"], g["w"])
    cover(Images(y, image * oh * ow * g["k"], oh * ow * g["k"], ow),
          Images(x, image * h * w * g["c"], h * w * g["c"], w), bank,
          OutputRange(min(images, n - image), low * unit, min(high * unit, oh), part * blocks // parts,
                      (part + 1) * blocks // parts),
          dimension(g["sh"], g["dh"], -g["top"], 1, g["kh"], h), dimension(g["sw"], g["dw"], -g["left"], 1, g["kw"], w),
          (groups, cg, kg), (addend, bounds))
