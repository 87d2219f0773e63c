"""Element-wise activations. ONNX: Relu, Sigmoid, Tanh, LeakyRelu, Elu, Selu, Gelu; its Swish is silu.

One kernel a direction serves all of them: the branch on the integer code lies outside the loops.
With alpha the slope of LEAKY_RELU or the scale of ELU, and cdf the normal distribution's::

    code           y = f(x)                                f'(x), by what is saved
    LINEAR         x                                       1
    RELU           max(x, 0)                               y > 0
    STEP           x >= 0                                  0
    SIGMOID        1 / (1 + exp(-x))                       y (1 - y)
    TANH           tanh(x)                                 1 - y^2
    LEAKY_RELU     x if x > 0 else alpha x                 1 if x > 0 else alpha
    ELU            x if x > 0 else alpha (exp(x) - 1)      1 if x > 0 else alpha exp(x)
    SELU           1.0507... elu(x), alpha 1.6733...       (Klambauer et al., 2017, equation 2)
    SILU           x sigmoid(x)                            s (1 + x (1 - s)),  s = sigmoid(x)
    GELU           x cdf(x)                                cdf(x) + x pdf(x)   (Hendrycks and Gimpel, 2016)
    GELU_TANH      x s,  s = sigmoid(2 u)                  s + x s (1 - s) 2 u',  u = sqrt(2 / pi) (x + 0.044715 x^3)

GELU_TANH is written with tanh in the paper: (1 + tanh(u)) / 2 = sigmoid(2 u).
"""

from fastcnn.kernels.codes import (
    ELU,
    GELU,
    GELU_TANH,
    LEAKY_RELU,
    LINEAR,
    RELU,
    SELU,
    SIGMOID,
    SILU,
    STEP,
    TANH,
)
from fastcnn.kernels.cpu._jit import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.elementary import exp_nonpositive, normal_cdf, sigmoid, tanh

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
_SQRT_8_BY_PI, _CUBIC = 1.5957691216057308, 0.044715
_PDF_0 = 0.3989422804014327  # 1 / sqrt(2 pi)


@kernel
def activation_forward(y, x, code, alpha):
    """Write y = f(x) for flat arrays; `y` may be `x`.

    Parameters
    ----------
    y : (size,) array
        Written.
    x : (size,) array
    code : int
        RELU, TANH, ...
    alpha : float
        Of LEAKY_RELU and ELU; else it has no meaning.
    """
    chunks = chunks_for(y.size, 64)
    parallel(_forward_chunk, chunks, (chunks, y, x, code, alpha))


_BLOCK = 4096  # elements that stay in L1 between the copy and the arithmetic


@inlined(exact=True)
def _forward_chunk(chunk, chunks, y, x, code, alpha):
    # The arithmetic is in place, on a copy in L1: a loop over one array needs no test whether two of them overlap, a
    # test that would send y = x to scalar code.
    first, last = chunk_of(chunk, chunks, y.size)
    for begin in range(first, last, _BLOCK):
        end = min(begin + _BLOCK, last)
        block, source = y[begin:end], x[begin:end]
        if block.ctypes.data != source.ctypes.data:
            for i in range(block.size):
                block[i] = source[i]
        _forward_block(block, code, alpha)


@inlined(exact=True)
def _forward_block(y, code, alpha):
    real = y.dtype.type
    zero, one = real(0), real(1)
    if code == RELU:
        for i in range(y.size):
            y[i] = zero if y[i] < zero else y[i]
    elif code == STEP:
        for i in range(y.size):
            y[i] = y[i] if y[i] != y[i] else (one if y[i] >= zero else zero)
    elif code == SIGMOID:
        for i in range(y.size):
            y[i] = sigmoid(y[i])
    elif code == TANH:
        for i in range(y.size):
            y[i] = tanh(y[i])
    elif code == LEAKY_RELU:
        slope = real(alpha)
        for i in range(y.size):
            y[i] = y[i] if y[i] > zero else slope * y[i]
    elif code in (ELU, SELU):
        scale = real(1 if code == ELU else _SELU_SCALE)
        negative = real(alpha if code == ELU else _SELU_SCALE * _SELU_ALPHA)
        for i in range(y.size):
            y[i] = scale * y[i] if y[i] > zero else negative * (exp_nonpositive(zero if y[i] > zero else y[i]) - one)
    elif code == SILU:
        for i in range(y.size):
            y[i] = y[i] * sigmoid(y[i])
    elif code == GELU:
        for i in range(y.size):
            y[i] = y[i] * normal_cdf(y[i])
    elif code == GELU_TANH:
        slope, cubic = real(_SQRT_8_BY_PI), real(_CUBIC)
        for i in range(y.size):
            y[i] = y[i] * sigmoid(slope * (y[i] + cubic * y[i] * y[i] * y[i]))


@kernel
def activation_backward(dx, dy, saved, code, alpha):
    """Write dx = dy f'(x) for flat arrays; `dx` is fresh memory.

    Parameters
    ----------
    dx : (size,) array
        Written.
    dy : (size,) array
    saved : (size,) array
        The input x where `kernels.codes.saves_input(code)`, else the output y.
    code, alpha
        As in the forward pass.
    """
    chunks = chunks_for(dx.size, 64)
    parallel(_backward_chunk, chunks, (chunks, dx, dy, saved, code, alpha))


@inlined(exact=True)
def _backward_chunk(chunk, chunks, dx, dy, saved, code, alpha):
    begin, end = chunk_of(chunk, chunks, dx.size)
    dx, dy, s = dx[begin:end], dy[begin:end], saved[begin:end]
    real = dx.dtype.type
    zero, one, two = real(0), real(1), real(2)
    if code == LINEAR:
        for i in range(dx.size):
            dx[i] = dy[i]
    elif code == RELU:
        for i in range(dx.size):
            dx[i] = zero if s[i] <= zero else dy[i]
    elif code == STEP:
        for i in range(dx.size):
            dx[i] = zero
    elif code == SIGMOID:
        for i in range(dx.size):
            dx[i] = dy[i] * s[i] * (one - s[i])
    elif code == TANH:
        for i in range(dx.size):
            dx[i] = dy[i] * (one - s[i] * s[i])
    elif code == LEAKY_RELU:
        slope = real(alpha)
        for i in range(dx.size):
            dx[i] = dy[i] if s[i] > zero else slope * dy[i]
    elif code in (ELU, SELU):
        scale = real(1 if code == ELU else _SELU_SCALE)
        negative = real(alpha if code == ELU else _SELU_SCALE * _SELU_ALPHA)
        for i in range(dx.size):
            dx[i] = dy[i] * (scale if s[i] > zero else negative * exp_nonpositive(zero if s[i] > zero else s[i]))
    elif code == SILU:
        for i in range(dx.size):
            f = sigmoid(s[i])
            dx[i] = dy[i] * (f * (one + s[i] * (one - f)))
    elif code == GELU:
        pdf, half = real(_PDF_0), real(-0.5)
        for i in range(dx.size):
            dx[i] = dy[i] * (normal_cdf(s[i]) + s[i] * (pdf * exp_nonpositive(half * s[i] * s[i])))
    elif code == GELU_TANH:
        slope, cubic = real(_SQRT_8_BY_PI), real(_CUBIC)
        for i in range(dx.size):
            f = sigmoid(slope * (s[i] + cubic * s[i] * s[i] * s[i]))
            inner = slope * (one + (two + one) * cubic * s[i] * s[i])
            dx[i] = dy[i] * (f + s[i] * (f * (one - f) * inner))
