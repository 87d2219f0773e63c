"""Activations, ways to merge two arrays and steps of L2 pooling by number, as kernels of every device take them."""

(LINEAR, RELU, STEP, SIGMOID, TANH, LEAKY_RELU, ELU, SELU, SILU, GELU, GELU_TANH, CLIP, HARD_SIGMOID, HARD_SILU, MISH,
 SOFTPLUS, LOG_SIGMOID, SOFTSIGN, EXPONENTIAL, CELU, SCALED_ELU, SHRINK, TANH_SHRINK, THRESHOLD, SQUAREPLUS,
 SPARSE_PLUS) = range(26)

#: What a kernel may apply to its results before it ends, besides bounds: ReLU and the clamps.
EPILOGUES = (SIGMOID, SILU, TANH, HARD_SILU)

_OF_OUTPUT = frozenset((LINEAR, RELU, STEP, SIGMOID, TANH, CLIP, HARD_SIGMOID, SOFTPLUS, LOG_SIGMOID, SOFTSIGN,
                        EXPONENTIAL))

#: y = alpha a + beta b, a b, max(a, b), min(a, b), a where it is positive, else a b, and a b where b is not 0, else 0
SUM, PRODUCT, MAXIMUM, MINIMUM, PRELU, MASK = range(6)

#: y = a b, sqrt(a), a / b
L2_PRODUCT, L2_ROOT, L2_QUOTIENT = range(3)


def saves_input(code: int) -> bool:
    """Return whether `activation_backward` wants the input x of an activation, and not its output y."""
    return code not in _OF_OUTPUT
