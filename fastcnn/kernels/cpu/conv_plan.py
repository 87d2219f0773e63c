"""What the three kernels of a convolution share: which algorithm runs, how the work is cut, and a band of rows.

All of it is a function of shapes alone, so that results do not depend on threads. `g` is the one element of a geometry.
"""

from fastcnn.kernels.cpu._jit import inlined
from fastcnn.kernels.cpu.pack import aligned, at3, fill_slab
from fastcnn.kernels.cpu.tile import M0, M1, lanes
from fastcnn.kernels.cpu.walk import block_width, walk

SLAB = 49152  # elements of a slab: 192 KB of float32, well within L2 beside a block of filters
PANEL = 32768  # elements of a panel of gathered rows
TASKS = 16  # tasks a launch should have at least, for a balanced end
PARTIAL = 1 << 22  # elements of all partial sums of the weights' gradient together


@inlined
def is_pointwise(g):
    """Whether every output sees one input pixel, its own: a 1x1 convolution with stride 1, or a dense layer."""
    border = g["top"] + g["bottom"] + g["left"] + g["right"]
    return g["kh"] * g["kw"] * g["sh"] * g["sw"] * g["groups"] == 1 and border == 0


@inlined
def forward_is_direct(g):
    """Whether the forward pass is direct: rows that fill tiles, or so few filters that gathering would not pay."""
    return not is_pointwise(g) and (g["ow"] >= M1 or g["k"] // g["groups"] < 64)


@inlined
def input_is_direct(g):
    """Whether the input's gradient is a direct convolution of dy on flipped filters, which wants stride 1.

    With few channels most lanes of its vectors would be empty, while the matrix fills them with (r, s, c).
    """
    few = g["c"] // g["groups"] <= 8 <= g["k"] // g["groups"]
    return g["sh"] == 1 and g["sw"] == 1 and not is_pointwise(g) and not few


@inlined
def band_rows(images, rows, span, stride, row_elements):
    """Return output rows a task: a slab within L2, and enough tasks. `span` is the height of a dilated window."""
    fitting = (SLAB // max(1, row_elements) - span) // stride + 1
    tasks_an_image = -(-TASKS // max(1, images))
    return max(1, min(rows, fitting, -(-rows // tasks_an_image)))


@inlined
def blocks_of(array, columns):
    width = block_width(array, columns)
    return width, -(-columns // width)


@inlined
def panel_rows_for(depth):
    """Return rows of a panel `depth` wide: whole tiles, within L2."""
    return max(1, min(16, PANEL // max(1, depth) // M0)) * M0


def width_of(columns, dtype):
    one = lanes(dtype)
    return one if columns <= one else 2 * one


def packed_size(groups, columns, depth, dtype):
    """Elements of packed filters and of the start values: `groups` times blocks of `columns`, `depth` steps each."""
    width = width_of(columns, dtype)
    columns = -(-columns // width) * width * groups
    return aligned(columns * depth) + aligned(columns)


@inlined
def direct_band(y, y_at, scratch, slab, x, image, size, packed, start, filters, first, left, rows, ow, relu):
    """One band of rows: y[y_at:] as (rows, OW, K), from the image rows that begin at `first` (above the image: < 0)."""
    h, w, c = size
    groups, cg, kg, kh, kw, sh, sw, dh, dw = filters
    height, columns = (rows - 1) * sh + (kh - 1) * dh + 1, (ow - 1) * sw + (kw - 1) * dw + 1
    inside = first >= 0 and first + height <= h and left == 0 and columns <= w
    if inside:
        a, a_at, a_row = x, image + first * w * c, w * c
    else:
        fill_slab(scratch, slab, x, image, size, first, height, left, columns)
        a, a_at, a_row = scratch, slab, columns * c
    k, depth = groups * kg, kh * kw * cg
    width, blocks = blocks_of(y, kg)
    # Without dilation or groups the kernel's columns and channels are one contiguous run.
    loops = at3(kh, 1, kw * cg) if dw == 1 and groups == 1 else at3(kh, kw, cg)
    for block in range(groups * blocks):
        group, b = block // blocks, block % blocks
        for i in range(rows):
            walk(y, (y_at + i * ow * k + group * kg + b * width, k),
                 a, (a_at + i * sh * a_row + group * cg, sw * c, dh * a_row, dw * c, 1),
                 packed, (block * depth * width, kw * cg * width, cg * width, width), loops,
                 packed, start + block * width, min(width, kg - b * width), relu, ow)
