"""Activations, ways to merge two arrays and steps of L2 pooling by number, as kernels of every device take them."""

LINEAR, RELU, STEP, SIGMOID, TANH, LEAKY_RELU, ELU, SELU, SILU, GELU, GELU_TANH = range(11)

#: y = alpha a + beta b, a b, max(a, b), min(a, b)
SUM, PRODUCT, MAXIMUM, MINIMUM = range(4)

#: y = a b, sqrt(a), a / b
L2_PRODUCT, L2_ROOT, L2_QUOTIENT = range(3)


def saves_input(code: int) -> bool:
    """Return whether `activation_backward` wants the input x of an activation, and not its output y."""
    return code in (LEAKY_RELU, ELU, SELU, SILU, GELU, GELU_TANH)
