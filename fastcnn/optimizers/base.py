"""What all optimizers do: clip, decay, step, average; with Keras's arguments, in Keras's order.

An optimizer walks the flat segments of a model's parameters (`fastcnn.parameters`): one kernel call each::

    gradients --/ accumulated steps--> clipped --> values <- values - rate weight_decay values --> step --> average
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn import constraints, device
from fastcnn.errors import ArgumentError
from fastcnn.optimizers import arguments, schedules
from fastcnn.optimizers.applying import Applying, ShownRate
from fastcnn.optimizers.averages import Averages
from fastcnn.optimizers.clipping import clip
from fastcnn.optimizers.parameter_group import ParameterGroup
from fastcnn.optimizers.rate_factors import RateFactors
from fastcnn.optimizers.state import State
from fastcnn.optimizers.weight_decay import WeightDecay
from fastcnn.parameter_blocks import Segment, flatten
from fastcnn.parameters import Parameter
from fastcnn.unsupported import ExplainsUnsupported

NONE = {np.dtype(kind): np.empty(0, kind) for kind in (np.float32, np.float64)}

#: What a configuration has beside the constructor's arguments.
_FACTORS, _SPARED = "learning_rate_factors", "spared_weight_decay"

Rate = float | schedules.LearningRateSchedule | Callable[[], float]


class Optimizer(State, Averages, RateFactors, WeightDecay, Applying, ExplainsUnsupported):
    """The base of optimizers; one is for one model.

    Parameters
    ----------
    learning_rate : float, schedule, or callable without arguments
    weight_decay : float, optional
        Before a step each value loses learning_rate weight_decay times itself (Loshchilov and Hutter, 2019). A decay
        that is added to the gradient, as in many papers and in PyTorch's SGD, acts 1 / (1 - momentum) times over: their
        5e-4 with a momentum of 0.9 is 5e-3 here.
    clipnorm : float, optional
        The gradient of each parameter is shortened to this length, if it is longer.
    clipvalue : float, optional
        Gradients are cut to [-clipvalue, clipvalue].
    global_clipnorm : float, optional
        The gradients of all parameters together are shortened to this length.
    use_ema : bool
        Keep an exponential moving average of the values: average <- ema_momentum average + (1 - ema_momentum) values.
        `finalize_variable_values` puts it in their place.
    ema_momentum : float
    ema_overwrite_frequency : int, optional
        After so many steps the average takes the place of the values, again and again.
    loss_scale_factor : None
        There are no types here that would need it.
    gradient_accumulation_steps : int, optional
        The mean gradient of so many calls of `step` makes one step.
    name : str, optional

    Attributes
    ----------
    learning_rate : float
        The current one; may be changed between steps, unless a schedule says it.
    iterations : int
        Calls of `step`.
    epoch : int
        From 0, for schedules that count epochs; `fit` sets it.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> optimizers.Adam(clipnorm=1.0, use_ema=True).learning_rate
    0.001
    """

    unsupported = "optimizer"

    #: The names of the arrays of state a parameter needs, of its shape, and what they start with.
    slots: tuple[str, ...] = ()
    starts: tuple[float, ...] = ()

    def __init__(self, learning_rate: Rate, weight_decay: float | None = None, clipnorm: float | None = None,
                 clipvalue: float | None = None, global_clipnorm: float | None = None, use_ema: bool = False,
                 ema_momentum: float = 0.99, ema_overwrite_frequency: int | None = None,
                 loss_scale_factor: float | None = None, gradient_accumulation_steps: int | None = None,
                 name: str | None = None) -> None:
        if isinstance(learning_rate, dict):
            learning_rate = schedules.deserialize(learning_rate)
        self._learning_rate = learning_rate if callable(learning_rate) else arguments.rate(self, learning_rate)
        self.name = name if name is not None else type(self).__name__.lower()
        self.weight_decay, self.clipnorm, self.clipvalue = weight_decay, clipnorm, clipvalue
        self.global_clipnorm, self.use_ema, self.ema_momentum = global_clipnorm, bool(use_ema), float(ema_momentum)
        self.ema_overwrite_frequency, self.loss_scale_factor = ema_overwrite_frequency, loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        arguments.check_decay(self, weight_decay)
        arguments.check_clipping(self, clipnorm, clipvalue, global_clipnorm)
        arguments.check_average(self, ema_momentum, ema_overwrite_frequency)
        arguments.check_accumulation(self, loss_scale_factor, gradient_accumulation_steps)
        self.iterations = self.epoch = 0
        self._restarted_at = 0  # which step
        self._parameters: list[Parameter] = []
        self._all: list[ParameterGroup] = []  # of these parameters
        self._trained: set[int] = set()  # the ids of those that are trained now
        self._parts: list[ParameterGroup] = []  # of these
        self._factors: list[float] = []  # of their learning rates
        self._constrained: list[Parameter] = []  # those of them that a constraint is on

    # --- learning rate ----------------------------------------------------------------------------------------------

    @property
    def learning_rate(self) -> float:
        """The rate of the next step; it may be set, but a number does not replace a schedule.

        As Keras's it can be assigned, too: ``optimizer.learning_rate.assign(0.01)``.
        """
        return ShownRate(self._current_rate(), self)

    @learning_rate.setter
    def learning_rate(self, value: Rate) -> None:
        if callable(value):
            self._learning_rate = value
        elif isinstance(self._learning_rate, schedules.LearningRateSchedule):
            raise ArgumentError(f"{type(self).__name__}: learning_rate cannot be set, since "
                                f"{type(self._learning_rate).__name__} says it; make the optimizer with a number")
        else:
            self._learning_rate = arguments.rate(self, value)

    def _current_rate(self) -> float:
        if isinstance(self._learning_rate, float):
            return self._learning_rate
        if isinstance(self._learning_rate, schedules.LearningRateSchedule):
            return float(self._learning_rate.at(self.iterations, self.epoch))
        return float(self._learning_rate())

    @property
    def has_constant_rate(self) -> bool:
        """Whether the learning rate is a number, which may be set, and no schedule or function says it."""
        return isinstance(self._learning_rate, float)

    # --- training ---------------------------------------------------------------------------------------------------

    def build(self, parameters: list[Parameter]) -> None:
        """Gather the parameters into flat segments and start the state of each.

        An optimizer that is built trains, from then on, those of its parameters that are given, and keeps the state of
        all: layers may be frozen for a while.

        Parameters
        ----------
        parameters : list of Parameter

        Raises
        ------
        ArgumentError
            If it is built and a parameter is none of its own.
        """
        wanted = set(map(id, parameters))
        if wanted == self._trained:  # every `fit` asks
            return
        if not self._parameters:
            self._check_patterns(parameters)
            self._parameters, self._all = list(parameters), [self._part(s) for s in flatten(parameters)]
        known = set(map(id, self._parameters))
        if not wanted <= known:
            other = next(p for p in parameters if id(p) not in known)
            raise ArgumentError(f"{type(self).__name__}: expected the parameters it was built for, and {other.path} is "
                                f"none of them; compile this model with a new optimizer")
        # The state of frozen parameters stays in `_all`.
        found = self._by_factor(self._all, wanted)
        self._trained, self._parts, self._factors = wanted, [part for part, _ in found], [factor for _, factor in found]
        self._constrained = [p for p in parameters if p.constraint is not None]

    def _part(self, segment: Segment) -> ParameterGroup:
        spared = list(map(self._is_spared, segment.parameters))
        return ParameterGroup.of(segment, self._starts, self.use_ema, spared)

    @property
    def _starts(self) -> tuple[float, ...]:
        return self.starts or (0.0,) * len(self.slots)

    @property
    def segments(self) -> list[Segment]:
        """What is trained now: flat values and their gradients. Between a backward pass and `step` others may change
        the gradients: clip them, or add those of other processes.
        """
        return [part.segment for part in self._parts]

    @property
    def will_update(self) -> bool:
        """Whether the next `step` changes values; where gradients are accumulated, all but the last do not."""
        return (self.iterations + 1) % (self.gradient_accumulation_steps or 1) == 0

    def clear_gradients(self) -> None:
        """Set the gradients of all segments to zero, unless they are being accumulated."""
        if self.gradient_accumulation_steps and self.iterations % self.gradient_accumulation_steps:
            return
        for part in self._parts:
            device.of(part.segment.gradients).fill(part.segment.gradients, 0)

    def step(self, clear: bool = False) -> None:
        """Take one step along the gradients.

        Parameters
        ----------
        clear : bool
            Leave the gradients zero, in the pass that reads them: it saves the `clear_gradients` before the next step
            to who adds nothing to them in between. Else they can still be read after the step, as they were clipped.
        """
        rate, gathered = self._current_rate(), self.gradient_accumulation_steps
        self.iterations += 1
        try:
            if not gathered or self.iterations % gathered == 0:
                if gathered or self.clipnorm or self.clipvalue or self.global_clipnorm:
                    clip([part.segment for part in self._parts], 1.0 / (gathered or 1), self.clipnorm, self.clipvalue,
                         self.global_clipnorm)
                for part, factor in zip(self._parts, self._factors, strict=True):
                    d, own = device.of(part.segment.values), rate * factor
                    decay = self._decay(part, own)
                    self.update(d, part.segment, part.state, own, decay, clear)
            if self.use_ema:
                self._average()
            for parameter in self._constrained:  # after the average, as in Keras
                constraints.apply(parameter.constraint, parameter)
        finally:  # Ctrl-C is heard when a kernel is done: then values have changed
            for part in self._parts:
                for parameter in part.segment.parameters:
                    parameter.version += 1

    def update(self, d: device.Device, segment: Segment, state: list[np.ndarray], rate: float, decay: float,
               clear: bool) -> None:
        """Update one segment, with one kernel call.

        Parameters
        ----------
        d : Device
        segment : Segment
        state : list of array
            One for each of `slots`.
        rate, decay : float
            The learning rate, and by how much of itself each value shrinks before the step.
        clear : bool
            Leave the gradients zero.
        """
        raise NotImplementedError

    @property
    def updates(self) -> int:
        """How many steps were taken since the last `restart`, the current one included: calls of `step` over the
        accumulated ones.
        """
        return -(-(self.iterations - self._restarted_at) // (self.gradient_accumulation_steps or 1))

    def restart(self) -> None:
        """Begin anew all that is kept of earlier gradients, as a new optimizer would.

        Layers that are set free in the middle of a training have moments of zero; corrections for that are by the
        number of steps, and would not be made for them. The count of steps goes on, and with it what schedules say.
        """
        for part in self._all:
            for array, start in zip(part.state, self._starts, strict=True):
                device.of(array).fill(array, start)
        self._restarted_at = self.iterations

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, and the patterns that were told afterwards, if there are any."""
        rate: Any = self._learning_rate
        rate = schedules.serialize(rate) if isinstance(rate, schedules.LearningRateSchedule) else rate
        hidden = ("iterations", "epoch", "slots", "starts")
        own = {key: value for key, value in vars(self).items() if key not in hidden and not key.startswith("_")}
        factors = {pattern.pattern: factor for pattern, factor in self._rate_factors}
        later = {_FACTORS: factors, _SPARED: self._spared_names}
        return {"name": self.name, "learning_rate": rate, **own, **{key: one for key, one in later.items() if one}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Optimizer":
        """Make an optimizer from `get_config`."""
        made = cls(**{key: value for key, value in config.items() if key not in (_FACTORS, _SPARED)})
        if config.get(_FACTORS):
            made.scale_learning_rate(config[_FACTORS])
        if config.get(_SPARED):
            made.exclude_from_weight_decay(var_names=config[_SPARED])
        return made
