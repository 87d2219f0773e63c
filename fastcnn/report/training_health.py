"""Whether training is well: how large gradients and updates are, and what the units do, in words."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.callbacks import Callback
from fastcnn.errors import ArgumentError
from fastcnn.models.taken_back import taken_back
from fastcnn.parameter_blocks import Segment
from fastcnn.parameters import Parameter
from fastcnn.report.active_units import LayerActivity, unit_activity, units_alike
from fastcnn.report.words import plural

_TOO_FAST, _TOO_SLOW = 0.1, 1e-6  # of the weights, an update
_APART = 1e4  # times between the largest and the least mean gradient of layers
_LOOKED_AT = 512  # examples


class WeightHealth(NamedTuple):
    """The weights of a layer in some training steps.

    Attributes
    ----------
    path : str
        Of the parameter: "conv2d/kernel".
    gradient : float
        The root of its gradient's mean square.
    update : float
        The norm of a step's change over the norm of the weights; about 0.001 is usual.
    alike : int
        Units that have the weights of another one.

    Examples
    --------
    >>> fc.report.WeightHealth("dense/kernel", 0.01, 0.001, 0).path
    'dense/kernel'
    """

    path: str
    gradient: float
    update: float
    alike: int


class Health(NamedTuple):
    """How well a training is.

    Attributes
    ----------
    weights : tuple of WeightHealth
        From the input to the output.
    activity : tuple of LayerActivity
    sentences : tuple of str
        What is wrong, and what helps; one that says so where nothing is.

    Examples
    --------
    >>> fc.report.Health((), (), ("Nothing stands out.",)).sentences[0]
    'Nothing stands out.'
    """

    weights: tuple[WeightHealth, ...]
    activity: tuple[LayerActivity, ...]
    sentences: tuple[str, ...]


def health(model: Any, x: Any, y: Any, batch_size: int = 32, steps: int = 8) -> Health:
    """Train for a few steps, look at gradients, updates and units, and take all of it back.

    Model, optimizer and orders have the bits that they had afterwards.

    Parameters
    ----------
    model : Model
        Built and compiled, as it is trained.
    x, y : arrays
        Training examples as `Model.fit` takes them.
    batch_size, steps : int

    Raises
    ------
    ArgumentError
        If the model is not compiled, or there is no example.

    References
    ----------
    Updates of a thousandth of the weights: Bottou: Stochastic gradient descent tricks, 2012.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((2,)), layers.Dense(3, "relu", kernel_initializer="zeros", name="d"),
    ...                        layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> found = fc.report.health(model, np.ones((32, 2), "float32"), np.zeros((32, 1)))
    >>> found.sentences[0]
    'd: all 3 units never fire on 32 training examples: they are dead, and learn no more. A smaller --lr, a bias \
that begins at 0.01, or leaky_relu helps.'
    """
    if not model.built or model.optimizer is None:
        raise ArgumentError(f"health: expected a model that is built and compiled, got {model}")
    if not len(x) or steps < 1:
        raise ArgumentError(f"health: expected examples and steps, got {len(x)} and {steps}")
    alike = {p.path: units_alike(p.value) for p in model.trainable_weights if len(p.shape) > 1}
    activity = tuple(unit_activity(model, x[:_LOOKED_AT])) if len(model.input_shapes) == 1 else ()
    watch, count = _Watch(), min(batch_size * steps, len(x))
    with taken_back(model):
        model.fit(x[:count], y[:count], batch_size=min(batch_size, count), epochs=-(-steps * batch_size // count),
                  verbose=0, callbacks=watch)
    weights = tuple(WeightHealth(path, float(np.median(watch.gradients[path])), float(np.median(watch.updates[path])),
                                 alike[path]) for path in alike if path in watch.gradients)
    looked_at = min(len(x), _LOOKED_AT)
    found = [*_of_units(activity, looked_at), *_of_weights(weights)]
    return Health(weights, activity, tuple(found) or (
        f"Nothing stands out: gradients reach every layer, updates are of a usual size, and no unit is dead or "
        f"stuck on {looked_at:,} training examples.",))


class _Watch(Callback):
    """Notes the size of gradients, and how far a step moves weights."""

    def __init__(self) -> None:
        self.gradients: dict[str, list[float]] = {}
        self.updates: dict[str, list[float]] = {}
        self._before: list[tuple[Parameter, NDArray[Any]]] = []

    def on_gradients(self, segments: list[Segment]) -> None:
        self._before = []
        for segment in segments:
            for parameter, place in segment.places():
                if len(parameter.shape) > 1:
                    slope = np.asarray(segment.gradients[place], np.float64)
                    self.gradients.setdefault(parameter.path, []).append(float(np.sqrt((slope**2).mean())))
                    self._before.append((parameter, np.array(parameter.value)))

    def on_train_batch_end(self, batch: int, logs: Any) -> None:
        for parameter, before in self._before:
            moved = float(np.linalg.norm(np.asarray(parameter.value, np.float64) - before))
            self.updates.setdefault(parameter.path, []).append(moved / max(float(np.linalg.norm(before)), 1e-30))


def _of_units(activity: tuple[LayerActivity, ...], examples: int) -> list[str]:
    found = []
    for one in activity:
        many = len(one.dead) or len(one.saturated)
        if not many:
            continue
        some = f"all {one.units} units" if many == one.units else f"{many} of {plural(one.units, 'unit')}"
        verb = "s" if many == 1 and one.units != 1 else ""
        if len(one.dead):
            found.append(f"{one.layer}: {some} never fire{verb} on {examples:,} training examples: "
                         f"{'it is' if many == 1 else 'they are'} dead, and learn{'s' if many == 1 else ''} no more. A "
                         "smaller --lr, a bias that begins at 0.01, or leaky_relu helps.")
        else:
            found.append(f"{one.layer}: {some} of {one.activation} {'is' if many == 1 else 'are'} at an end nearly "
                         "always: saturated, with next to no gradient. Normalization before the layer, smaller first "
                         "weights, or relu helps.")
    return found


def _of_weights(weights: tuple[WeightHealth, ...]) -> list[str]:
    found = []
    for one in weights:
        if not np.isfinite(one.gradient):
            found.append(f"{one.path}: the gradient is infinite or no number. Take a smaller --lr.")
        elif one.gradient == 0:
            found.append(f"{one.path} gets no gradient: what lies behind it is dead, or saturated.")
        elif one.update > _TOO_FAST:
            found.append(f"{one.path} moves by {one.update:.2g} of its size in a step, where 0.001 is usual: a smaller "
                         "--lr, or --warmup, is calmer.")
        elif one.update < _TOO_SLOW:
            found.append(f"{one.path} moves by {one.update:.1g} of its size in a step, which is next to nothing: a "
                         "larger --lr would learn faster.")
        if one.alike:
            found.append(f"{one.path}: {plural(one.alike, 'unit')} {'has' if one.alike == 1 else 'have'} the weights "
                         "of another one, and learn the same for ever: begin with random weights.")
    slopes = [(one.gradient, one.path) for one in weights if 0 < one.gradient < np.inf]
    if slopes and max(slopes)[0] > _APART * min(slopes)[0]:
        least, most = min(slopes), max(slopes)
        found.append(f"The gradient of {least[1]} is {most[0] / least[0]:.0e} times smaller than that of {most[1]}: it "
                     "vanishes on its way. Batch normalization, He's initialization or shortcuts help.")
    return found
