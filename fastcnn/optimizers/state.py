"""What training changes in an optimizer, by name, for whoever keeps it and goes on with it."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.optimizers.parameter_group import ParameterGroup
from fastcnn.parameters import Parameter

#: A name that is there once an optimizer was restarted.
RESTARTED = "restarted_at"


class State:
    """The part of an optimizer that hands out its state and takes it."""

    # What the other part has.
    slots: tuple[str, ...]
    iterations: int
    _restarted_at: int
    gradient_accumulation_steps: int | None
    _learning_rate: Any
    _parameters: list[Parameter]
    _all: list[ParameterGroup]
    _trained: set[int]
    build: Any

    def get_state(self) -> dict[str, np.ndarray]:
        """Return copies of all that training changes here, by name: ``iterations``, ``0/momentum``, ``1/momentum``, ...

        The numbers are those of the parameters as given to `build`. After a `restart` there is ``restarted_at``, too.
        """
        state = {"iterations": np.array(self.iterations, np.int64)}
        if self._restarted_at:
            state[RESTARTED] = np.array(self._restarted_at, np.int64)
        if isinstance(self._learning_rate, float):
            state["learning_rate"] = np.array(self._learning_rate)
        return state | {name: device.get(view).copy() for name, view in self._views().items()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Set what `get_state` returned; nothing changes unless all of it fits. `build` comes first.

        Parameters
        ----------
        state : dict of arrays

        Raises
        ------
        ArgumentError
            If an array is missing, is one too many or has another shape.
        """
        who, views = type(self).__name__, self._views()
        given = {name: np.asarray(value) for name, value in state.items()}
        wanted = {"iterations", *views} | ({"learning_rate"} if isinstance(self._learning_rate, float) else set())
        if set(given) - {RESTARTED} != wanted:
            differs = sorted((set(given) - {RESTARTED}) ^ wanted)
            raise ArgumentError(f"{who}: expected a state of {len(wanted)} arrays, got {len(given)}; "
                                f"they differ in {', '.join(differs[:5])}")
        wrong = [f"{n} {view.shape} got {given[n].shape}" for n, view in views.items() if view.shape != given[n].shape]
        if wrong:
            raise ArgumentError(f"{who}: expected the state of these parameters, but {', '.join(wrong[:5])}")
        for name, view in views.items():
            device.of(view).copy(view, given[name])
        self.iterations, self._restarted_at = int(given["iterations"]), int(given.get(RESTARTED, 0))
        if "learning_rate" in given:
            self._learning_rate = float(given["learning_rate"])

    def placed(self) -> Any:
        """Return what `place` takes: the state, before the parameters move to another device."""
        return (self.get_state(), [p for p in self._parameters if id(p) in self._trained]) if self._parameters else None

    def place(self, placed: Any) -> None:
        """Gather the parameters anew, which have moved to another device, with the state that they had.

        Parameters
        ----------
        placed : object
            What `placed` returned.
        """
        state, trained = placed
        parameters, self._parameters, self._trained = self._parameters, [], set()
        self.build(parameters)
        self.build(trained)
        self.set_state(state)

    def _views(self) -> dict[str, np.ndarray]:
        """Return the arrays of state as each parameter sees them, of its shape."""
        number = {id(p): i for i, p in enumerate(self._parameters)}
        views: dict[str, np.ndarray] = {}
        for segment, state, average, _ in self._all:
            arrays = dict(zip(self.slots, state, strict=True))
            if average is not None:
                arrays["average"] = average
            # In the middle of an accumulation, the gradients are state as well.
            if self.gradient_accumulation_steps:
                arrays["gradient"] = segment.gradients
            for p, place in segment.places():
                views |= {f"{number[id(p)]}/{name}": a[place].reshape(p.shape) for name, a in arrays.items()}
        return views
