"""As the CPU's `bias`, on CUDA: the gradient of a bias is the column sums of dy."""

from fastcnn.kernels.cuda.compile.kernel import launcher
from fastcnn.kernels.cuda.sums import sum_columns, sum_columns_scratch


def bias_backward_scratch(shape, dtype):
    """Return how many elements of scratch `bias_backward` wants for dy of `shape`."""
    return sum_columns_scratch(*shape)


@launcher
def bias_backward(dbias, scratch, dy):
    """Add the sums of the columns of dy, as the CPU's."""
    rows, columns = dy.shape
    sum_columns(dbias, scratch, dy, rows, columns, add=True)
