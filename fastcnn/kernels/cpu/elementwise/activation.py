"""Element-wise activations.

ONNX: Relu, Clip, Sigmoid, Tanh, LeakyRelu, Elu, Selu, Celu, Gelu, HardSigmoid, HardSwish, Mish, Softplus, Softsign,
Exp, Shrink, ThresholdedRelu; its Swish is silu.

One kernel a direction serves all of them: the branch on the integer code lies outside the loops, which are in
`activate_loops`, where other kernels find them too (by `activate`).
With a = alpha and b = beta, the two parameters, and cdf the normal distribution's::

    code           y = f(x)                                  f'(x), by what is saved
    LINEAR         x                                         1
    RELU           max(x, 0)                                 y > 0
    STEP           x >= 0                                    0
    SIGMOID        1 / (1 + exp(-x))                         y (1 - y)
    TANH           tanh(x)                                   1 - y^2
    LEAKY_RELU     x if x > b else a (x - b)                 1 if x > b else a
    ELU            x if x > 0 else a (exp(x) - 1)            1 if x > 0 else a exp(x)
    SELU           1.0507... elu(x), a = 1.6733...           (Klambauer et al., 2017, equation 2)
    SILU           x sigmoid(x)                              s (1 + x (1 - s)),  s = sigmoid(x)
    GELU           x cdf(x)                                  cdf(x) + x pdf(x)   (Hendrycks and Gimpel, 2016)
    GELU_TANH      x s,  s = sigmoid(2 u)                    s + x s (1 - s) 2 u',  u = sqrt(2 / pi) (x + 0.044715 x^3)
    CLIP           min(max(x, b), a): relu6 with a = 6       b < y < a
    HARD_SIGMOID   min(max(a x + b, 0), 1)                   a where 0 < y < 1
    HARD_SILU      x min(max(x / 6 + 1/2, 0), 1)             x / 3 + 1/2 within -3..3, outside 0 or 1
    MISH           x tanh(softplus(x))                       t + x (1 - t^2) sigmoid(x),  t = tanh(softplus(x))
    SOFTPLUS       log(1 + exp(x))                           1 - exp(-y)
    LOG_SIGMOID    -log(1 + exp(-x))                         1 - exp(y)
    SOFTSIGN       x / (1 + |x|)                             (1 - |y|)^2
    EXPONENTIAL    exp(x)                                    y
    CELU           x if x > 0 else a (exp(x / a) - 1)        1 if x > 0 else exp(x / a)
    SCALED_ELU     b elu(x)                                  b, or a b exp(x)
    SHRINK         x -+ b where |x| > a, else 0              |x| > a
    TANH_SHRINK    x - tanh(x)                               tanh(x)^2
    THRESHOLD      x if x > a else b                         x > a
    SQUAREPLUS     (x + sqrt(x^2 + a)) / 2                   (1 + x / sqrt(x^2 + a)) / 2
    SPARSE_PLUS    0, (x + 1)^2 / 4 within -1..1, x          0, (x + 1) / 2, 1

GELU_TANH is written with tanh in the paper: (1 + tanh(u)) / 2 = sigmoid(2 u).
"""

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.elementwise.activate import activate, activate_backward, activate_backward_into, activate_into

__all__ = ["activate", "activate_backward", "activation_backward", "activation_forward"]


@kernel(in_place=("x",))
def activation_forward(y, x, code, alpha, beta):
    """Write y = f(x) for flat arrays.

    Parameters
    ----------
    y : (size,) array
        Written.
    x : (size,) array
    code : int
        RELU, TANH, ...
    alpha, beta : float
        The parameters of the function; without meaning where it has none.
    """
    chunks = chunks_for(y.size, 64)
    parallel(_forward_chunk, chunks, (chunks, y, x, code, alpha, beta))


@inlined
def _forward_chunk(chunk, chunks, y, x, code, alpha, beta):
    begin, end = chunk_of(chunk, chunks, y.size)
    activate_into((y, begin), (x, begin), end - begin, (code, alpha, beta))


@kernel(in_place=("dy",))
def activation_backward(dx, dy, saved, code, alpha, beta):
    """Write dx = dy f'(x) for flat arrays.

    Parameters
    ----------
    dx : (size,) array
        Written.
    dy : (size,) array
    saved : (size,) array
        The input x where `kernels.codes.saves_input(code)`, else the output y.
    code, alpha, beta
        As in the forward pass.
    """
    chunks = chunks_for(dx.size, 64)
    parallel(_backward_chunk, chunks, (chunks, dx, dy, saved, code, alpha, beta))


@inlined
def _backward_chunk(chunk, chunks, dx, dy, saved, code, alpha, beta):
    begin, end = chunk_of(chunk, chunks, dx.size)
    activate_backward_into((dx, begin), (dy, begin), (saved, begin), end - begin, (code, alpha, beta))
