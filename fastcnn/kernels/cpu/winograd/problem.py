"""What a Winograd kernel computes: the forward pass with the gradient of the filters, and the gradient of the input.

It is (N, H, W, C of what is read, H, W, K of what is written, zeros above, zeros on the left, outputs of a side of a
tile).
"""

from fastcnn.kernels.cpu.compile.policy import inlined


def forward_fields(g):
    """Return the problem of a CONV2D: of x, and of y or dy."""
    return g["n"], g["h"], g["w"], g["c"], g["oh"], g["ow"], g["k"], g["top"], g["left"], 7 - g["kh"]


def backward_fields(g):
    """As `forward_fields`, for the gradient of the input: of dy, and of dx."""
    around = g["kh"] - 1
    return (g["n"], g["oh"], g["ow"], g["k"], g["h"], g["w"], g["c"], around - g["top"], around - g["left"],
            7 - g["kh"])


forward_problem, backward_problem = inlined(forward_fields), inlined(backward_fields)


@inlined
def forward_bank(kernel):
    """Return the flat kernel, its offset and the strides of r, s, depth and column."""
    window, _, c, k = kernel.shape
    return kernel.reshape(-1), (0, window * c * k, c * k, k, 1)


@inlined
def backward_bank(kernel):
    """As `forward_bank`, from the last tap to the first; depth is k, columns are c."""
    window, _, c, k = kernel.shape
    return kernel.reshape(-1), ((window * window - 1) * c * k, -window * c * k, -c * k, 1, k)
