"""Numbers: squared, absolute or Huber's errors, of targets with mean 0 and variance 1 in training."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.cli._ends import with_end, without_end
from fastcnn.errors import DataError

_END = "unit"


class Unit(NamedTuple):
    """Mean and standard deviation of the targets in the training part, (K,) each."""

    mean: NDArray[Any]
    std: NDArray[Any]


class RegressionReport(NamedTuple):
    """Results on numbers, in the unit of the table.

    Attributes
    ----------
    mae, rmse, r2 : (K,) arrays
        Of each target: mean absolute error, root of the mean squared error, and the part of the variance that is
        explained: 1 is perfect, 0 what the mean achieves.
    examples : int
        Of the examples.
    """

    mae: NDArray[Any]
    rmse: NDArray[Any]
    r2: NDArray[Any]
    examples: int

    @property
    def figures(self) -> dict[str, float]:
        """R2 decides, of several targets its mean: errors of different units have no sum."""
        errors = {"MAE": float(self.mae[0]), "RMSE": float(self.rmse[0])} if len(self.r2) == 1 else {}
        return errors | {"R2" if len(self.r2) == 1 else "mean R2": float(self.r2.mean())}

    def show(self, console: Any, names: tuple[str, ...]) -> None:
        """Print a line for each target."""
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("target", overflow="fold")
        for name in ("MAE", "RMSE", "R2"):
            table.add_column(name, justify="right")
        for name, mae, rmse, r2 in zip(names, self.mae, self.rmse, self.r2, strict=True):
            table.add_row(name, f"{mae:.6g}", f"{rmse:.6g}", f"{r2:.4f}")
        console.print(table, soft_wrap=False)


class Regression:
    """Each example has one number, or several.

    Parameters
    ----------
    loss : str
        "mse", "mae" or "huber".
    unit : Unit
    """

    activation: str | None = None

    def __init__(self, loss: str, unit: Unit) -> None:
        self.loss, self.unit = loss, unit

    def compiled(self) -> dict[str, Any]:
        return {"loss": self.loss, "metrics": ["r2_score"]}

    def targets(self, y: NDArray[Any]) -> NDArray[Any]:
        return ((y.reshape(len(y), -1) - self.unit.mean) / self.unit.std).astype(np.float32)

    def trained(self, model: Any) -> Any:
        return without_end(model, _END)

    def finished(self, model: Any) -> Any:
        from fastcnn import layers

        return with_end(model, layers.Rescaling(self.unit.std, self.unit.mean, name=_END))

    def measure(self, outputs: NDArray[Any], y: NDArray[Any]) -> RegressionReport:
        y = y.reshape(len(y), -1)
        error = outputs.astype(np.float64) - y
        squares, spread = (error**2).mean(axis=0), y.var(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            r2 = np.where(spread > 0, 1 - squares / spread, np.where(squares > 0, 0.0, 1.0))
        return RegressionReport(np.abs(error).mean(axis=0), np.sqrt(squares), r2, len(y))


def unit_of(y: NDArray[Any] | None, begun: Any, names: tuple[str, ...]) -> Unit:
    """Return the unit of the targets of a training part, or that of a model that is trained on.

    Raises
    ------
    DataError
        A target that is the same everywhere.
    """
    if begun is not None and begun.layers[-1].name == _END:
        end = begun.layers[-1]
        return Unit(np.asarray(end.offset, np.float64), np.asarray(end.scale, np.float64))
    if y is None or begun is not None:
        return Unit(np.zeros(len(names)), np.ones(len(names)))
    columns = y.reshape(len(y), -1)
    unit = Unit(columns.mean(axis=0), columns.std(axis=0))
    if not (unit.std > 0).all():
        name = names[int(np.argmin(unit.std))]
        raise DataError(f"{name}: expected different numbers in the training part, got {unit.mean.min():g} in each "
                        "example; add others, or leave the column out")  # fmt: skip
    return unit
