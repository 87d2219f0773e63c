"""What a model is made of, as rows and as a table."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from fastcnn.auto_names import shortened
from fastcnn.layers.open_sizes import is_open
from fastcnn.layers.twins import shape_text
from fastcnn.symbolic import as_shapes

if TYPE_CHECKING:  # importing rich takes longer than a prediction
    from rich.console import Console
    from rich.table import Table


class SummaryRow(NamedTuple):
    """One layer: its name and class, the output's shape, parameters, multiply-adds and output bytes of a sample.

    Multiply-adds and bytes are None where sizes are left open. `before` names the layers whose outputs it takes;
    `depth` is how many models it is inside of, beside the outermost; `trainable` is None for a layer without
    parameters.
    """

    name: str
    kind: str
    output_shape: Any
    parameters: int
    multiply_adds: int | None
    output_bytes: int | None
    before: tuple[str, ...] = ()
    depth: int = 0
    trainable: bool | None = None


def rows(model: Any, expand_nested: bool = False, depth: int = 0) -> list[SummaryRow]:
    """Return a row for each layer of a built model, in its order; a layer called twice has one.

    With `expand_nested` the layers of a model inside follow its row.
    """
    size, found = model.array_dtype.itemsize, list[SummaryRow]()
    before: dict[int, list[str]] = {}
    for node in model.traced.nodes:
        before.setdefault(id(node.layer), []).extend(one.name for one in node.inputs)
    for layer in filter(lambda layer: layer.built, model.held_layers().values()):
        shapes = as_shapes(layer.output_shape)
        found.append(SummaryRow(layer.name, type(layer).__name__, layer.output_shape, layer.count_params(),
                         None if is_open((layer.input_shape, shapes)) else layer.multiply_adds(),
                         None if is_open(shapes) else sum(math.prod(shape[1:]) for shape in shapes) * size,
                         tuple(dict.fromkeys(before.get(id(layer), ()))), depth,
                         bool(layer.trainable_weights) if layer.weights else None))
        if expand_nested and layer.is_composite:
            found += rows(layer, True, depth + 1)
    return found


def table(model: Any, expand_nested: bool = False, show_trainable: bool = False) -> "Table":
    """Return the rows as a rich table, with the totals in its footer."""
    from rich import box
    from rich.table import Table

    lines = rows(model, expand_nested)
    result = Table(title=f'Model "{model.name}", input {_shape(model.input_shape)}', box=box.SIMPLE_HEAVY,
                   title_justify="left", show_footer=True, padding=0, show_edge=False)
    result.add_column("layer", "total", no_wrap=True)
    result.add_column("class", no_wrap=True)
    result.add_column("output shape", no_wrap=True)
    products, size = (None, None) if model.is_open else (model.multiply_adds(), _output_bytes(lines))
    totals = f"{model.count_params():,}", _count(products), _size(size)
    for name, total in zip(("parameters", "multiply-adds", "memory"), totals, strict=True):
        result.add_column(name, total, justify="right", no_wrap=True)
    is_chain = all(row.before in ((), (other.name,)) for row, other in zip(lines[1:], lines, strict=False))
    if not is_chain:
        result.add_column("from", no_wrap=True)
    if show_trainable:
        result.add_column("trainable", no_wrap=True)
    for row in lines:
        cells = ["  " * row.depth + shortened(row.name), row.kind, _shape(row.output_shape), f"{row.parameters:,}",
                 _count(row.multiply_adds), _size(row.output_bytes)]
        result.add_row(*cells, *([] if is_chain else [", ".join(map(shortened, row.before))]),
                       *([{None: "-", True: "yes", False: "no"}[row.trainable]] if show_trainable else []))
    return result


def summary(model: Any, print_fn: Callable[[str], Any] | None = None, expand_nested: bool = False,
            show_trainable: bool = False) -> None:
    """Print the table, how many parameters are trained, and what prediction plans; all is of one sample."""
    from rich.console import Console

    trained = sum(p.size for p in model.trainable_weights)
    rest = model.count_params() - trained
    lines = table(model, expand_nested, show_trainable)
    console = Console()
    # A wide table is whole, wherever it is printed.
    console.width = max(console.width, Console(width=10_000).measure(lines).maximum)
    with console.capture() as captured:
        console.print(lines)
        size = sum(p.size * p.dtype.itemsize for p in model.weights)
        types = " and ".join(sorted({p.dtype.name for p in model.weights} or {model.variable_dtype.name}))
        console.print(f"parameters  {trained:,} trained, {rest:,} others: {size:,} bytes of {types}", highlight=False,
                      soft_wrap=True)
        if model.is_open:
            console.print("sizes       left open; model.for_shape(shape).summary() tells of one", highlight=False)
        else:
            _tell_sizes(console, model)
    (print_fn or print)("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _tell_sizes(console: "Console", model: Any) -> None:
    """Print what outputs take, and what prediction plans."""
    size = _output_bytes(rows(model))
    console.print(f"outputs     {_size(None) if size is None else f'{size:,} bytes'} a sample", highlight=False)
    console.print(f"prediction  {len(model.prediction_graph().steps)} steps, whose outputs share "
                  f"{model.planned_bytes():,} bytes", highlight=False)


def unbuilt(model: Any, print_fn: Callable[[str], Any] | None = None) -> None:
    """Print the names and classes of the layers of a model whose shapes are not known yet."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    result = Table(title=f'Model "{model.name}", not built: shapes are known once it sees data', box=box.SIMPLE_HEAVY,
                   title_justify="left", padding=0, show_edge=False)
    for name in ("layer", "class", "output shape", "parameters"):
        result.add_column(name, no_wrap=True)
    for layer in model.layers:
        shape, size = (_shape(layer.output_shape), f"{layer.count_params():,}") if layer.built else ("?", "?")
        result.add_row(shortened(layer.name), type(layer).__name__, shape, size)
    console = Console(width=Console(width=10_000).measure(result).maximum)
    with console.capture() as captured:
        console.print(result)
    (print_fn or print)("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _output_bytes(lines: list[SummaryRow]) -> int | None:
    """Return the bytes of all outputs of a sample, those of models inside told by them; None if one is not known."""
    found = [row.output_bytes for row in lines if not row.depth]
    return None if None in found else sum(n for n in found if n is not None)


def _count(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def _size(size: int | None) -> str:
    return "?" if size is None else size_text(size)


def size_text(size: int) -> str:
    """Return a number of bytes as people read it: 512 B, 1.5 KiB, 97.7 MiB."""
    value, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            break
        value /= 1024
    return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"


def _shape(shape: Any) -> str:
    return ", ".join(map(shape_text, as_shapes(shape)))
