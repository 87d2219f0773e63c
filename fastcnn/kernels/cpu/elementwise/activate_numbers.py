"""Activations by family, and their numbers: what the two parameters mean, as constants of the loops over arrays."""

from fastcnn.kernels import activation_numbers
from fastcnn.kernels.codes import (
    CELU,
    CLIP,
    ELU,
    EXPONENTIAL,
    GELU,
    GELU_TANH,
    HARD_SIGMOID,
    HARD_SILU,
    LEAKY_RELU,
    LOG_SIGMOID,
    MISH,
    RELU,
    SCALED_ELU,
    SELU,
    SHRINK,
    SIGMOID,
    SILU,
    SOFTPLUS,
    SOFTSIGN,
    SPARSE_PLUS,
    SQUAREPLUS,
    STEP,
    TANH,
    TANH_SHRINK,
    THRESHOLD,
)
from fastcnn.kernels.cpu.compile.policy import inlined

#: Straight pieces; what is made of a sigmoid, a hyperbolic tangent or the normal distribution; and corners that an
#: exponential, a root or a square makes soft. Each family is one function of `activate_loops` and of `activate_slopes`.
PIECEWISE = RELU, CLIP, STEP, LEAKY_RELU, HARD_SIGMOID, HARD_SILU, SHRINK, THRESHOLD
SIGMOIDAL = SIGMOID, TANH, SILU, GELU, GELU_TANH, TANH_SHRINK
SOFT = ELU, SELU, CELU, SCALED_ELU, EXPONENTIAL, MISH, SOFTPLUS, LOG_SIGMOID, SOFTSIGN, SQUAREPLUS, SPARSE_PLUS

bounds, numbers = inlined(activation_numbers.bounds), inlined(activation_numbers.numbers)
mish = inlined(activation_numbers.mish, exact=True, always=True)
