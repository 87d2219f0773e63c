"""The walk of the kernels whose losses are sums over elements, L = share sum_k f(x_k, t_k), and their gradients.

All elements of as many rows as L1 holds go through f as one run of vectors, however short the rows are::

    x, t   | rows 0 .. r, 16 KB |         f, one vector at a time            f', the same once more
    dx     | f(x, t)            |  ---> losses: sums of rows   ---> dx: scale share f'(x, t), over what lay there

`values` and `slopes` are functions of (out, x, t, code, a, b, c) and (out, x, t, code, a, b, c, factor) on flat arrays.
"""

from fastcnn.kernels.cpu._jit import chunk_of, inlined

_BLOCK = 4096  # elements that stay in L1 between the passes over them


@inlined
def element_rows(chunk, chunks, values, slopes, losses, dx, x, targets, weights, code, a, b, c, share, scale,
                 wants_gradient):
    """Do one of `chunks` parts of the rows; the arguments that follow are those of `elementwise_loss`."""
    first, last = chunk_of(chunk, chunks, x.shape[0])
    real, columns = x.dtype.type, x.shape[1]
    rows = max(1, _BLOCK // max(1, columns))
    each_element = weights.size > 0 and weights.size == x.size
    each_row = weights.size > 0 and not each_element
    for begin in range(first, last, rows):
        end = min(begin + rows, last)
        flat, t, out = x[begin:end].reshape(-1), targets[begin:end].reshape(-1), dx[begin:end].reshape(-1)
        values(out, flat, t, code, real(a), real(b), real(c))
        if each_element:
            _multiply(out, weights[begin * columns:end * columns])
        _row_sums(losses[begin:end], out, columns, real(share))
        if each_row:
            _multiply(losses[begin:end], weights[begin:end])
        if wants_gradient:
            slopes(out, flat, t, code, real(a), real(b), real(c), real(scale * share))
            if each_element:
                _multiply(out, weights[begin * columns:end * columns])
            elif each_row:
                for i in range(begin, end):
                    row, factor = dx[i], weights[i]
                    for k in range(row.size):
                        row[k] *= factor


@inlined
def _multiply(out, factors):
    for k in range(out.size):
        out[k] *= factors[k]


@inlined
def _row_sums(losses, values, columns, share):
    if columns == 1:  # a loop over rows of one element would not become vectors
        for i in range(losses.size):
            losses[i] = share * values[i]
    else:
        for i in range(losses.size):
            row, total = values[i * columns:(i + 1) * columns], values.dtype.type(0)
            for k in range(row.size):
                total += row[k]
            losses[i] = share * total
