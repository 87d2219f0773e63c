"""What one forward pass of a layer is told."""

from typing import NamedTuple

_ODD = 0x1E3779B97F4A7C15  # a multiple of it is no seed that anybody would give


class Call(NamedTuple):
    """What one forward pass is told; immutable, so that a layer used twice is told twice.

    Attributes
    ----------
    seed, step : int
        Where random numbers count from: dropout is a function of (seed, step, index).
    wants_dx : bool
        Whether anybody needs the gradient of the input; the first layer of a model is spared it. One that runs layers
        which it holds is not, so that it may hand on what it is told.
    training : bool
        False for a layer that runs as in inference, moving statistics and all, though gradients go through it.
    use : int
        How often the layer ran in this pass before: one that is used twice draws twice.

    Examples
    --------
    >>> layer = layers.Dropout(0.5, seed=1)
    >>> x = np.ones((1, 8), "float32")
    >>> layer.forward(x, layers.Call(step=1))[0]
    array([[0., 0., 2., 2., 2., 0., 2., 0.]], dtype=float32)
    >>> layer.forward(x, layers.Call(step=2))[0]
    array([[2., 2., 0., 2., 2., 0., 2., 0.]], dtype=float32)
    """

    seed: int = 0
    step: int = 0
    wants_dx: bool = True
    training: bool = True
    use: int = 0

    def key(self, seed: int) -> tuple[int, int]:
        """Return what kernels count random numbers from, (seed, step), for a layer with a seed of its own."""
        return (seed ^ self.seed ^ self.use * _ODD) & 0x7FFFFFFFFFFFFFFF, self.step
