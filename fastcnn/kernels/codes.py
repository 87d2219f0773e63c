"""The activations by number, as kernels of every device take them."""

LINEAR, RELU, STEP, SIGMOID, TANH, LEAKY_RELU, ELU, SELU, SILU, GELU, GELU_TANH = range(11)


def saves_input(code: int) -> bool:
    """Return whether `activation_backward` wants the input x of an activation, and not its output y."""
    return code in (LEAKY_RELU, ELU, SELU, SILU, GELU, GELU_TANH)
