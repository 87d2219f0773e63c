"""A picture of a model: its layers as boxes, its tensors as arrows, as SVG, with nothing installed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from fastcnn._warnings import warn
from fastcnn.errors import ArgumentError
from fastcnn.formats.files import user_path, write_atomically
from fastcnn.layers.input import InputLayer
from fastcnn.models.network import Network
from fastcnn.models.plot_layout import layered

_LETTER, _LINE, _PAD, _GAP = 7.2, 17.0, 9.0, 16.0
_COLOURS = (  # by what a layer is, the first word that its class's name has
    ("Input", "#dfe3e8"), ("Conv", "#cfe2f3"), ("Dense", "#d9ead3"), ("Pool", "#fce5cd"), ("Normalization", "#e6dcf2"),
    ("Dropout", "#f4cccc"), ("Add", "#fff2cc"), ("Concatenate", "#fff2cc"), ("Multiply", "#fff2cc"),
)
_PLAIN, _MODEL = "#f3f3f3", "#ffffff"
_PICTURES = (".svg", ".png", ".jpg", ".jpeg", ".pdf", ".gif")  # what Graphviz makes of Keras's


def plot_model(model: Any, to_file: Any = "model.svg", show_shapes: bool = False, show_dtype: bool = False,
               show_layer_names: bool = False, rankdir: str = "TB", expand_nested: bool = False, dpi: int = 200,
               show_layer_activations: bool = False, show_trainable: bool = False) -> Path:
    """Draw a built model and write it as SVG; Graphviz is not needed.

    Parameters
    ----------
    model : Model
    to_file : path-like
        Ends in ``.svg``; for another picture, such as ``.png``, the SVG is written beside it, with a warning.
    show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable : bool
        What the boxes tell beside the layer's class.
    rankdir : str
        "TB", from top to bottom: the only one offered.
    expand_nested : bool
        Open the models inside the model; their layers' names are then told with the model's.
    dpi : int
        SVG has no resolution: any value gives the same.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ArgumentError
        If the model is not built, the path is of no picture, or the direction is not offered.
    """
    if not isinstance(model, Network):
        raise ArgumentError(f"plot_model: expected a model, got {model!r}")
    path = user_path(to_file, "plot_model")
    if path.suffix.lower() not in _PICTURES:
        raise ArgumentError(f"plot_model: expected a path that ends in .svg, got {to_file}; save as {path.stem}.svg")
    if rankdir != "TB":
        raise ArgumentError(f"plot_model: rankdir={rankdir!r} is not offered; leave it at 'TB'")
    if not model.built:
        raise ArgumentError(f"plot_model: expected a built model, got {model}; begin with fc.Input(shape)")
    if path.suffix.lower() != ".svg":
        path = path.with_suffix(".svg")
        warn(f"plot_model: pictures are SVG; wrote {path.name} in the place of {Path(to_file).name}")
    shown = {"shapes": show_shapes, "dtype": show_dtype, "names": show_layer_names,
             "activations": show_layer_activations, "trainable": show_trainable}
    write_atomically(path, svg(model, expand_nested, **shown).encode())
    return path


def svg(model: Any, expand_nested: bool = False, **shown: bool) -> str:
    """Return the picture of `plot_model` as text."""
    nodes, edges = _graph(model, expand_nested)
    texts = [_lines(node, prefix, shown) for node, prefix in nodes]
    widths = [max(map(len, lines)) * _LETTER + 2 * _PAD for lines in texts]
    height = max(map(len, texts)) * _LINE + 2 * _PAD - 4
    drawn = layered(widths, edges, height, _GAP)
    margin = 12
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{drawn.width + 2 * margin:.0f}" '
             f'height="{drawn.height + 2 * margin:.0f}" font-family="monospace" font-size="12" text-anchor="middle">',
             f"<title>{escape(model.name)}</title>",
             '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
             'orient="auto"><path d="M0 0L8 4L0 8z" fill="#555"/></marker></defs>',
             f'<rect width="100%" height="100%" fill="white"/><g transform="translate({margin} {margin})">']
    parts += [f'<path d="{_curve(points)}" fill="none" stroke="#555" marker-end="url(#head)"/>'
              for points in drawn.edges]
    for (node, _), lines, width, (x, y) in zip(nodes, texts, widths, drawn.boxes, strict=True):
        parts.append(f'<rect x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" '
                     f'height="{height:.1f}" rx="4" fill="{_colour(node.layer)}" stroke="#555"/>')
        top = y - (len(lines) - 1) * _LINE / 2 + 4
        for k, line in enumerate(lines):
            weight = ' font-weight="bold"' if k == 0 else ""
            parts.append(f'<text x="{x:.1f}" y="{top + k * _LINE:.1f}"{weight}>{escape(line)}</text>')
    return "\n".join([*parts, "</g></svg>\n"])


def _graph(model: Any, expand: bool) -> tuple[list[tuple[Any, str]], list[tuple[int, int]]]:
    """Return the calls to draw, each after what it depends on, with the names of the models they are in; and edges."""
    nodes: list[tuple[Any, str]] = []
    edges: list[tuple[int, int]] = []

    def place(traced: Any, there: dict[int, int], prefix: str) -> None:
        for node in traced.nodes:
            inner = node.layer.traced if expand and node.layer.is_composite else None
            if inner is not None:
                within = {id(a): there[id(b)] for a, b in zip(inner.inputs, node.inputs, strict=True)}
                place(inner, within, f"{prefix}{node.layer.name}/")
                there.update({id(a): within[id(b)] for a, b in zip(node.outputs, inner.outputs, strict=True)})
                continue
            edges.extend((there[id(one)], len(nodes)) for one in node.inputs)
            there.update({id(one): len(nodes) for one in node.outputs})
            nodes.append((node, prefix))

    there: dict[int, int] = {}
    for tensor in model.traced.inputs:
        there[id(tensor)] = len(nodes)
        nodes.append((tensor.node, ""))
    place(model.traced, there, "")
    return nodes, edges


def _lines(node: Any, prefix: str, shown: dict[str, bool]) -> list[str]:
    """Return what a box tells."""
    layer = node.layer
    lines = [type(layer).__name__]
    if shown.get("names") or prefix:
        lines.append(prefix + layer.name)
    activation: Any = getattr(layer, "activation", None) or getattr(layer, "function", None)
    if shown.get("activations") and getattr(activation, "name", None):
        lines.append(activation.name)
    if shown.get("shapes"):
        gives = ", ".join(_shape(one.shape) for one in node.outputs)
        lines.append(gives if isinstance(layer, InputLayer) else
                     f"{', '.join(_shape(one.shape) for one in node.inputs)} → {gives}")
    if shown.get("dtype"):
        lines.append(layer.compute_dtype.name)
    if shown.get("trainable") and layer.weights:
        lines.append("trainable" if layer.trainable_weights else "frozen")
    return lines


def _shape(shape: Any) -> str:
    return "x".join(map(str, shape[1:])) or "1"


def _colour(layer: Any) -> str:
    if layer.is_composite:
        return _MODEL
    name = type(layer).__name__
    return next((colour for word, colour in _COLOURS if word in name), _PLAIN)


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """Return a smooth path through points, vertical at each of them."""
    (x, y), *rest = points
    path = f"M{x:.1f} {y:.1f}"
    for to_x, to_y in rest:
        middle = (y + to_y) / 2
        path += f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}"
        x, y = to_x, to_y
    return path
