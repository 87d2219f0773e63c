"""Element-wise activations. ONNX: Relu, Sigmoid, Tanh, LeakyRelu, Elu, Selu, Gelu; its Swish is silu.

One kernel a direction serves all of them: the branch on the integer code lies outside the loops, which are in
`fastcnn.kernels.cpu.activate`, where other kernels find them too.
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

from fastcnn.kernels.cpu._jit import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.activate import activate, activate_backward, activate_into

__all__ = ["activate", "activate_backward", "activation_backward", "activation_forward"]


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


@inlined
def _forward_chunk(chunk, chunks, y, x, code, alpha):
    begin, end = chunk_of(chunk, chunks, y.size)
    activate_into(y, begin, x, begin, end - begin, code, alpha)


@kernel
def activation_backward(dx, dy, saved, code, alpha):
    """Write dx = dy f'(x) for flat arrays; `dx` may be `dy`.

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


@inlined
def _backward_chunk(chunk, chunks, dx, dy, saved, code, alpha):
    begin, end = chunk_of(chunk, chunks, dx.size)
    activate_backward(dx, begin, dy, begin, saved, begin, end - begin, code, alpha)
