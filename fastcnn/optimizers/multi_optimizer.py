"""Several optimizers as one: each trains the parameters that a map gives it."""

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.optimizers.base import Optimizer
from fastcnn.optimizers.by_name import enter, get, serialize
from fastcnn.optimizers.state import RESTARTED
from fastcnn.parameter_blocks import Segment
from fastcnn.parameters import Parameter


class OptimizerMap(MutableMapping):
    """Optimizers by the paths of parameters, such as "conv2d/kernel", or patterns that match the whole of one.

    Parameters
    ----------
    default_optimizer : Optimizer
        Of parameters that no pattern matches.
    optimizer_map : dict of str to Optimizer, optional

    Examples
    --------
    >>> found = optimizers.OptimizerMap(optimizers.SGD(), {".*/bias": optimizers.Adam()})
    >>> type(found["dense/bias"]).__name__, type(found["dense/kernel"]).__name__
    ('Adam', 'SGD')
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None) -> None:
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise ArgumentError(f"OptimizerMap: expected optimizer_map to be a dict, got {optimizer_map!r}")
        self.default_optimizer = _checked(default_optimizer)
        self._map: dict[str, Optimizer] = {}
        for pattern, optimizer in (optimizer_map or {}).items():
            self[pattern] = optimizer

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._map:
            return self._map[key]
        found = [pattern for pattern in self._map if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ArgumentError(f"OptimizerMap: expected one pattern that matches {key!r}, got {', '.join(found)}")
        return self._map[found[0]] if found else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str) or key in self._map:
            raise ArgumentError(f"OptimizerMap: expected a new pattern, got {key!r}")
        try:
            re.compile(key)
        except re.error as error:
            raise ArgumentError(f"OptimizerMap: expected a regular expression, got {key!r}: {error}") from None
        self._map[key] = _checked(optimizer)

    def __delitem__(self, key: str) -> None:
        del self._map[key]

    def __len__(self) -> int:
        return len(self._map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def __call__(self, variable: Parameter) -> Optimizer:
        """Return the optimizer of a parameter."""
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, the optimizers as configurations."""
        return {"default_optimizer": serialize(self.default_optimizer),
                "optimizer_map": {pattern: serialize(optimizer) for pattern, optimizer in self._map.items()}}


@enter
class MultiOptimizer(Optimizer):
    """Several optimizers, each for its own parameters, with its own learning rate, clipping and averages.

    Parameters
    ----------
    optimizer_map : OptimizerMap, or function of a Parameter
        Tells which optimizer trains a parameter. A function that a file shall hold is given as an `OptimizerMap`.
    loss_scale_factor : None
        As of `Optimizer`.
    name : str, optional

    Attributes
    ----------
    optimizers : list of Optimizer

    Examples
    --------
    >>> by_path = optimizers.OptimizerMap(optimizers.SGD(0.1), {"dense/.*": optimizers.Adam(0.001)})
    >>> [one.learning_rate for one in optimizers.MultiOptimizer(by_path).optimizers]
    [0.001, 0.1]
    """

    def __init__(self, optimizer_map: Any, loss_scale_factor: float | None = None, name: str | None = None) -> None:
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        if isinstance(optimizer_map, dict):  # as a configuration has it
            optimizer_map = _map_of(optimizer_map)
        if not callable(optimizer_map):
            raise ArgumentError(f"MultiOptimizer: expected an OptimizerMap, or a function of a parameter, got "
                                f"{optimizer_map!r}")
        self._optimizer_map: Callable[[Parameter], Optimizer] = optimizer_map
        self._of: dict[int, Optimizer] = {}  # by the parameter's id
        self.optimizers: list[Optimizer] = []
        if isinstance(optimizer_map, OptimizerMap):
            each = [*optimizer_map._map.values(), optimizer_map.default_optimizer]
            self.optimizers = list({id(one): one for one in each}.values())

    # --- what each of them does ---------------------------------------------------------------------------------------

    def build(self, parameters: list[Parameter]) -> None:
        """As `Optimizer.build`, each of its optimizers for those parameters that are its own."""
        known = set(map(id, self._parameters))
        other = next((p for p in parameters if id(p) not in known), None)
        if known and other is not None:
            raise ArgumentError(f"MultiOptimizer: expected the parameters it was built for, and {other.path} is none "
                                f"of them; compile this model with a new optimizer")
        if not known:
            found = {id(p): _checked(self._optimizer_map(p), p) for p in parameters}
            self._parameters, self._of = list(parameters), found
            self.optimizers = list({id(one): one for one in [*self.optimizers, *found.values()]}.values())
            for one in self.optimizers:
                one.build([p for p in parameters if found[id(p)] is one])
        wanted = set(map(id, parameters))
        if wanted != self._trained:
            for one in self.optimizers:
                one.build([p for p in self._parameters if id(p) in wanted and self._of[id(p)] is one])
            self._trained = wanted

    @property
    def segments(self) -> list[Segment]:
        return [segment for one in self.optimizers for segment in one.segments]

    @property
    def will_update(self) -> bool:
        return any(one.will_update for one in self.optimizers)

    def clear_gradients(self) -> None:
        for one in self.optimizers:
            one.clear_gradients()

    def step(self, clear: bool = False) -> None:
        self.iterations += 1
        for one in self.optimizers:
            one.epoch = self.epoch
            if one.segments:
                one.step(clear)

    def restart(self) -> None:
        for one in self.optimizers:
            one.restart()

    def finalize_variable_values(self, var_list: Iterable[Parameter] | None = None) -> None:
        given = None if var_list is None else list(var_list)
        for one in self.optimizers:
            one.finalize_variable_values(given)

    # --- what they have in common -------------------------------------------------------------------------------------

    @property
    def learning_rate(self) -> float:
        """Absent: each of `optimizers` has its own."""
        raise AttributeError("MultiOptimizer: each of its optimizers has a learning_rate of its own; ask those in "
                             "optimizer.optimizers")

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise ArgumentError("MultiOptimizer: learning_rate cannot be set, since each of its optimizers has its own; "
                            "set those of optimizer.optimizers")

    @property
    def has_constant_rate(self) -> bool:
        return False

    def get_state(self) -> dict[str, np.ndarray]:
        state = {"iterations": np.array(self.iterations, np.int64)}
        for k, one in enumerate(self.optimizers):
            state |= {f"optimizer {k}/{name}": value for name, value in one.get_state().items()}
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        wanted = self.get_state()
        differs = sorted(name for name in set(state) ^ set(wanted) if not name.endswith(f"/{RESTARTED}"))
        if differs:
            raise ArgumentError(f"MultiOptimizer: expected a state of {len(wanted)} arrays, got {len(state)}; they "
                                f"differ in {', '.join(differs[:5])}")
        before = [one.get_state() for one in self.optimizers]
        try:
            for k, one in enumerate(self.optimizers):
                start = f"optimizer {k}/"
                one.set_state({name.removeprefix(start): value for name, value in state.items()
                               if name.startswith(start)})
        except ArgumentError:
            for one, old in zip(self.optimizers, before, strict=True):
                one.set_state(old)
            raise
        self.iterations = int(state["iterations"])

    def get_config(self) -> dict[str, Any]:
        if not isinstance(self._optimizer_map, OptimizerMap):
            raise ArgumentError("MultiOptimizer: expected an OptimizerMap to write down, got a function; make it with "
                                "optimizers.OptimizerMap")
        return {"optimizer_map": self._optimizer_map.get_config(), "name": self.name}


def _checked(optimizer: Any, parameter: Parameter | None = None) -> Optimizer:
    if not isinstance(optimizer, Optimizer) or isinstance(optimizer, MultiOptimizer):
        of = "" if parameter is None else f" for {parameter.path}"
        raise ArgumentError(f"MultiOptimizer: expected an optimizer of one kind{of}, got {optimizer!r}")
    return optimizer


def _map_of(config: dict[str, Any]) -> OptimizerMap:
    """Return a map of optimizers as `OptimizerMap.get_config` wrote it."""
    return OptimizerMap(get(config["default_optimizer"]),
                        {pattern: get(one) for pattern, one in config["optimizer_map"].items()})
