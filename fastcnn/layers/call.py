"""What one forward pass of a layer is told."""

from typing import NamedTuple

_ODD = 0x1E3779B97F4A7C15  # a multiple of it is no seed that anybody would give


class Call(NamedTuple):
    """The context of one forward pass of a layer. It is immutable, so a layer that is used twice gets two of them.

    Attributes
    ----------
    seed, step : int
        Random numbers are functions of (seed, step, index).
    wants_dx : bool
        Whether the gradient of the input is needed. The first layer of a model need not compute it, unless it runs
        layers that it holds.
    training : bool
        False makes a layer run as in inference, with moving statistics, while gradients still pass through it.
    use : int
        How often the layer already ran in this pass, so that a layer that is used twice draws other numbers.

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
