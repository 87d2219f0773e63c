"""What the three kernels of a convolution share: which algorithm runs, and how large its pieces are.

All of it is a function of shapes alone, so that results do not depend on threads. `g` is the one element of a geometry.
"""

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.gemm.tile import M0

PANEL = 32768  # elements of a panel of gathered rows
PARTIAL = 1 << 22  # elements of all partial sums of the weights' gradient together


@inlined
def is_pointwise(g):
    """Whether every output sees one input pixel, its own: a 1x1 convolution with stride 1, or a dense layer."""
    same = g["top"] == 0 and g["left"] == 0 and g["h"] == g["oh"] and g["w"] == g["ow"]
    return g["kh"] * g["kw"] * g["sh"] * g["sw"] * g["groups"] == 1 and same


@inlined
def input_is_direct(g):
    """Whether the input's gradient is a direct convolution of dy.

    With few channels most lanes of its vectors would be empty, while the matrix product fills them with (r, s, c).
    """
    return is_pointwise(g) or not g["c"] // g["groups"] <= 8 <= g["k"] // g["groups"]


@inlined
def panel_rows_for(depth):
    """Return rows of a panel `depth` wide: whole tiles, within L2."""
    return max(1, min(16, PANEL // max(1, depth) // M0)) * M0
