"""What a unit would like to see: a picture that gradient ascent paints from noise."""

import numpy as np

from fastcnn import device, optimizers
from fastcnn.errors import ArgumentError
from fastcnn.models.network import Network
from fastcnn.parameters import Parameter
from fastcnn.vision.explanations.passes import Passes
from fastcnn.vision.seen_by_units import picture_shape


def ascend(model: Network, layer: str | None = None, unit: int = 0, steps: int = 100, learning_rate: float = 0.05,
           jitter: int | None = None, penalty: float = 1e-3, seed: int = 0) -> tuple[np.ndarray, list[float]]:
    """Return a picture that excites a unit, (H, W, C), and how much it did so at each step.

        x <- x + rate (d a / d x - 2 penalty x), a the mean of the unit's map, or the unit of a dense layer

    Before each step the picture is rolled by up to `jitter` pixels each way, and back after it, so that no single
    pixel matters. Adam takes the steps. Of a unit that a ReLU holds at 0 at the beginning, where nothing rises, a is
    what the ReLU is taken of.

    Parameters
    ----------
    model : Model
    layer : str, optional
        The logits without it.
    unit : int
        Channel of the feature maps, or output.
    steps : int
    learning_rate : float
        In units of the model's input.
    jitter : int, optional
        A sixteenth of the picture's shorter side without it.
    penalty : float
        Of the sum of squares of the picture.
    seed : int
        Of the noise it begins with, and of the jitter.

    Raises
    ------
    ArgumentError
        If there is no such layer or unit.

    References
    ----------
    Erhan, Bengio, Courville, Vincent: Visualizing higher-layer features of a deep network, 2009; the jitter:
    Mordvintsev, Olah, Tyka: Inceptionism, 2015.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((8, 8, 1)), layers.Conv2D(2, 3, name="c")])
    >>> picture, activity = fc.vision.explanations.ascend(model, "c", unit=1, steps=10)
    >>> picture.shape, activity[-1] > activity[0]
    ((8, 8, 1), True)
    """
    passes = Passes(model, "ascend")
    at = passes.output if layer is None else passes.slot(layer)
    draw = np.random.default_rng(seed)
    noise = draw.standard_normal((1, *picture_shape(model))) * 0.01
    if jitter is None:
        jitter = min(picture_shape(model)[:2]) // 16
    pixels = Parameter(noise.astype(model.array_dtype), "pixels", "picture/pixels")
    optimizer = optimizers.Adam(learning_rate)
    optimizer.build([pixels])
    activity: list[float] = []
    for number in range(steps):
        shift = tuple(int(one) for one in draw.integers(-jitter, jitter + 1, 2)) if jitter else (0, 0)
        rolled = np.ascontiguousarray(np.roll(pixels.array, shift, (1, 2)))
        record = passes.forward(rolled, at)
        maps = device.get(record.values[at])
        if not 0 <= unit < maps.shape[-1]:
            raise ArgumentError(f"ascend: expected a unit from 0 to {maps.shape[-1] - 1}, got {unit}")
        if not number and not maps[..., unit].any():
            at = passes.before(at, ("relu", "relu6"))
            record = passes.forward(rolled, at)
            maps = device.get(record.values[at])
        activity.append(float(maps[..., unit].mean()))
        seed_of_way = np.zeros(maps.shape)
        seed_of_way[..., unit] = 1 / maps[..., unit].size
        slope = np.roll(record.backward(at, seed_of_way, passes.graph.inputs[0]), (-shift[0], -shift[1]), (1, 2))
        pixels.gradient[...] = 2 * penalty * pixels.array - slope  # the optimizer goes down
        optimizer.step(clear=True)
    return pixels.value[0].copy(), activity
