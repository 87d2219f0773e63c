"""The exponential moving average of the values that an optimizer trains (`use_ema`)."""

from collections.abc import Iterable

from fastcnn import device
from fastcnn.optimizers.parameter_group import ParameterGroup
from fastcnn.parameters import Parameter


class Averages:
    """The part of an optimizer that keeps averages and puts them in the place of the values."""

    # What the other part has.
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    iterations: int
    gradient_accumulation_steps: int | None
    _parameters: list[Parameter]
    _parts: list[ParameterGroup]

    _is_swapped = False

    @property
    def has_averages_in_place(self) -> bool:
        """Whether values and averages have changed places; to be set with a state that was kept then."""
        return self._is_swapped

    @has_averages_in_place.setter
    def has_averages_in_place(self, value: bool) -> None:
        self._is_swapped = value

    def _average(self) -> None:
        done = (self.iterations - 1) // (self.gradient_accumulation_steps or 1)
        for segment, _, average, _ in self._parts:
            share = 1.0 - self.ema_momentum if done else 1.0
            device.of(segment.values).kernels.moving_average(average, segment.values, share)
        if self.ema_overwrite_frequency and (done + 1) % self.ema_overwrite_frequency == 0:
            for segment, _, average, _ in self._parts:
                device.of(average).copy(segment.values, average)

    def finalize_variable_values(self, var_list: Iterable[Parameter] | None = None) -> None:
        """Put the moving averages in the place of the values, if there are any (`use_ema`).

        Parameters
        ----------
        var_list : list of Parameter, optional
            All if absent.
        """
        if not self.use_ema or not self.iterations:
            return
        if self._is_swapped:  # then the values of training are where the averages were
            for segment, _, average, _ in self._parts:
                device.of(average).copy(average, segment.values)
            self._is_swapped = False
            return
        wanted = set(map(id, self._parameters if var_list is None else var_list))
        for segment, _, average, _ in (one for part in self._parts for one in part.only(wanted)):
            for p, place in segment.places():
                p.assign(device.get(average[place].reshape(p.shape)))

    def swap_averages(self) -> None:
        """Let values and their averages change places; called again, back. There must be averages: `use_ema`."""
        for segment, _, average, _ in self._parts:
            d = device.of(average)
            values = d.empty(average.shape, average.dtype)
            d.copy(values, segment.values)
            d.copy(segment.values, average)
            d.copy(average, values)
            for parameter in segment.parameters:
                parameter.version += 1
        self._is_swapped = not self._is_swapped
