"""What a model is made of, as rows and as a table."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table


class Row(NamedTuple):
    """One layer: its name and class, the output's shape, parameters, multiply-adds and output bytes of a sample."""

    name: str
    kind: str
    output_shape: tuple
    parameters: int
    multiply_adds: int
    output_bytes: int


def rows(model: Any) -> list[Row]:
    """Return a row for each layer of a built model."""
    size = model.dtype.itemsize
    return [Row(layer.name, type(layer).__name__, layer.output_shape, layer.count_params(), layer.multiply_adds(),
                math.prod(layer.output_shape[1:]) * size) for layer in model.layers]


def table(model: Any) -> Table:
    """Return the rows as a rich table, with the totals in its footer."""
    lines = rows(model)
    result = Table(title=f'Model "{model.name}", input {_shape(model.input_shape)}', box=box.SIMPLE_HEAVY,
                   title_justify="left", show_footer=True, padding=0, show_edge=False)
    result.add_column("layer", "total", no_wrap=True)
    result.add_column("class", no_wrap=True)
    result.add_column("output shape", no_wrap=True)
    for name, column in (("parameters", "parameters"), ("multiply-adds", "multiply_adds")):
        result.add_column(name, f"{sum(getattr(row, column) for row in lines):,}", justify="right", no_wrap=True)
    for row in lines:
        result.add_row(row.name, row.kind, _shape(row.output_shape), f"{row.parameters:,}", f"{row.multiply_adds:,}")
    return result


def summary(model: Any, print_fn: Callable[[str], Any] | None = None) -> None:
    """Print the table, and how many parameters are trained; multiply-adds and bytes are of one sample."""
    trained = sum(p.size for p in model.trainable_weights)
    rest = model.count_params() - trained
    lines = table(model)
    console = Console()
    console.width = max(console.width, console.measure(lines).maximum)  # a wide table is whole, wherever it is printed
    with console.capture() as captured:
        console.print(lines)
        console.print(f"trainable parameters {trained:,}, others {rest:,}; for a sample, outputs take "
                      f"{sum(row.output_bytes for row in rows(model)):,} bytes", highlight=False)
    (print_fn or print)(captured.get().rstrip("\n"))


def _shape(shape: Any) -> str:
    return "(" + ", ".join("N" if n is None else str(n) for n in shape) + ")"
