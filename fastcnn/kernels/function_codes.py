"""Elementary functions of one number by code, as kernels of every device take them.

They are no activations: no kernel applies them to what it has just written, so nothing else pays for compiling them.
"""

(ABSOLUTE, SQUARE_ROOT, LOGARITHM, RECIPROCAL, POWER, SIGN, IS_ZERO, ROUND, FLOOR, CEILING,
 ERROR_FUNCTION, SINE, COSINE, ARC_TANGENT, LOG_OF_ONE_PLUS, EXPONENTIAL_MINUS_ONE) = range(16)

_OF_OUTPUT = frozenset((SQUARE_ROOT, RECIPROCAL, EXPONENTIAL_MINUS_ONE))


def saves_input(code: int) -> bool:
    """Return whether `function_backward` wants the input x of a function, and not its output y."""
    return code not in _OF_OUTPUT
