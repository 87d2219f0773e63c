"""How an operation is looked over: its numbers beside a formula, its gradients beside differences of them."""

import numpy as np

from fastcnn.parameters import Parameter

STEP = 1e-6
SLOPE = 2e-8  # of differences with that step, of numbers about 1: the square of the step, and rounding over the step


def normal(*shape, seed=0):
    """Return standard normal numbers in double precision."""
    return np.random.default_rng(seed).standard_normal(shape)


def look_over(operation, *arrays, expected=None, tolerance=1e-12):
    """Check y, the gradient along a random direction of each array, and that nothing that was given is written.

    Parameters
    ----------
    operation : callable
        Takes the arrays and returns y and backward.
    arrays : array
    expected : callable, optional
        As the operation, by a formula of NumPy's; returns y alone.
    tolerance : float
        Of y.
    """
    given = [x.copy() for x in arrays]
    y, backward = operation(*arrays)
    y = y.copy()
    if expected is not None:
        np.testing.assert_allclose(y, expected(*arrays), rtol=tolerance, atol=tolerance)
    dy = normal(*y.shape, seed=1)
    upstream = dy.copy()
    gradients = [g.copy() for g in several(backward(dy))]
    assert [g.shape for g in gradients] == [x.shape for x in arrays]
    for once, again in zip(gradients, several(operation(*arrays)[1](dy)), strict=True):
        np.testing.assert_array_equal(once, again)
    for k, gradient in enumerate(gradients):
        direction = normal(*arrays[k].shape, seed=2 + k)
        ends = []
        for step in (STEP, -STEP):
            moved = [x + step * direction if j == k else x for j, x in enumerate(arrays)]
            ends.append((operation(*moved)[0] * dy).sum())
        slope, found = (ends[0] - ends[1]) / (2 * STEP), (gradient * direction).sum()
        assert abs(slope - found) <= SLOPE * max(1.0, np.abs(gradient).sum()), (k, slope, found)
    for x, before in zip((*arrays, dy), (*given, upstream), strict=True):
        np.testing.assert_array_equal(x, before)
    return y, gradients


def several(gradients):
    """Return gradients as a tuple, also where there is one."""
    return gradients if isinstance(gradients, tuple) else (gradients,)


def parameter(value, name="value"):
    """Return a parameter with a copy of a value."""
    return Parameter(np.array(value), name, f"layer/{name}")


def of_parameters(operation, *names):
    """Return an operation of x and parameters as one of arrays: the gradients of its parameters come after dx."""
    def operate(x, *values):
        made = [parameter(value, name) for value, name in zip(values, names, strict=True)]
        y, backward = operation(x, *made)

        def gradients(dy):
            for p in made:
                p.zero_grad()
            return backward(dy), *[p.gradient for p in made]

        return y, gradients

    return operate
