"""Style transfer: a picture with the things of one and the brush of another, found by training its pixels."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from fastcnn import differentiate, optimizers
from fastcnn.errors import ArgumentError
from fastcnn.layers import Input
from fastcnn.models import Model
from fastcnn.parameters import Parameter
from fastcnn.vision.style import pictures
from fastcnn.vision.style.colors import with_colors_of
from fastcnn.vision.style.costs import content_cost, gram_matrix, style_cost, total_variation
from fastcnn.vision.style.networks import FeatureNetwork, feature_network

_SMALLEST = 32  # pixels of the shorter side; networks see nothing in less


@dataclass
class Stylized:
    """What `stylize` found.

    Attributes
    ----------
    picture : (H, W, 3) array of uint8
    costs : list of dict
        After each step: "cost", and its parts "content", "style", "variation", each with its weight.
    seconds : float
        How long it took.
    stopped : str
        Why it ended before its last step: "" (it did not), "interrupted", or what was not finite.

    Examples
    --------
    >>> found = fc.vision.stylize("cat.png", "painting.jpg")            # doctest: +SKIP
    >>> found.save("styled.png")                                        # doctest: +SKIP
    """

    picture: np.ndarray
    costs: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0
    stopped: str = ""

    @property
    def share(self) -> float:
        """The last cost over the first of the same size; 1 before any step."""
        first = [one for one in self.costs if one["size"] == self.costs[-1]["size"]] if self.costs else []
        return first[-1]["cost"] / first[0]["cost"] if first and first[0]["cost"] else 1.0

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file; its ending says the format.

        Raises
        ------
        PathError
            If there is no such folder.
        """
        from fastcnn.datasets.rgb import write_picture

        write_picture(path, self.picture)


def stylize(content: Any, style: Any, network: FeatureNetwork | str = "squeezenet1.1", *,
            weights: str | os.PathLike[str] | None = None, size: int = 255, sizes: Sequence[int] | None = None,
            steps: int = 300, content_weight: float = 0.05, style_weight: float = 1.0, variation_weight: float = 1.0,
            style_layer_weights: Sequence[float] | None = None, learning_rate: float = 0.02,
            init: Literal["content", "noise"] = "content", keep_colors: bool = False, seed: int = 0,
            on_step: Callable[[int, dict[str, float]], Any] | None = None) -> Stylized:
    """Return a picture with the content of one and the style of another.

        J(G) = content_weight J_content(C, G) + style_weight J_style(S, G) + variation_weight J_variation(G)

    The pixels of G are the parameters: Adam makes J small along dJ/dG, and after each step they are brought back into
    0 to 1. J_content compares features, J_style the Gram matrices of features (`fastcnn.vision.style` has the costs).

    Parameters
    ----------
    content, style : path-like, or (H, W, 3) array
        Arrays of uint8, or of floats from 0 to 1.
    network : FeatureNetwork or str
        A trained network with its layers, or "squeezenet1.1", "vgg16", "vgg19".
    weights : path-like, optional
        The file of a named network's weights (`feature_network`).
    size : int
        Pixels of the longer side of the result.
    sizes : sequence of int, optional
        Several sizes from small to large, each with `steps` steps: a small one finds where the brush goes, larger ones
        draw it finer. In the place of `size`.
    steps : int
    content_weight, style_weight, variation_weight : float
        Alpha, beta of the paper, and that of the roughness.
    style_layer_weights : sequence of float, optional
        Lambda of each style layer; 1 for each without them.
    learning_rate : float
        Of Adam, for pixels from 0 to 1. It falls by a half cosine to a tenth.
    init : {"content", "noise"}
        What G begins with.
    keep_colors : bool
        Whether the result has the content's colours, and takes brightness alone from the style.
    seed : int
        Of the noise.
    on_step : callable, optional
        Is given the step from 1 and its costs; what it returns true for, ends the work.

    Returns
    -------
    found : Stylized

    Raises
    ------
    ArgumentError
        If an argument cannot be, or the network's weights are not found.
    DataError
        If a file is no picture.

    References
    ----------
    Gatys, Ecker, Bethge: A neural algorithm of artistic style, 2015, equation 7.

    Examples
    --------
    >>> found = fc.vision.stylize("cat.png", "painting.jpg", size=255, steps=300)    # doctest: +SKIP
    >>> found.save("styled.png")                                                     # doctest: +SKIP
    """
    sizes = [size] if sizes is None else list(sizes)
    _check(sizes, steps, init, learning_rate, content_weight, style_weight, variation_weight)
    content, style = (pictures.as_picture(one, "stylize") for one in (content, style))
    if not isinstance(network, FeatureNetwork):
        network = feature_network(network, weights)
    each = _layer_weights(network, style_layer_weights)
    began, found = time.perf_counter(), Stylized(np.zeros((1, 1, 3), np.uint8))
    shape = pictures.of_longest_side(content, sizes[0])
    if min(shape) < _SMALLEST:
        raise ArgumentError(f"stylize: expected a picture of at least {_SMALLEST} pixels on its shorter side, got "
                            f"{shape[0]} x {shape[1]}; ask for a larger size")
    picture = pictures.resized(content, *shape)
    if init == "noise":
        picture = np.random.default_rng(seed).random(picture.shape, np.float32)
    for size in sizes:
        shape = pictures.of_longest_side(content, size)
        lacking = pictures.missing_rows(network.model, network.names, *shape)
        there = pictures.bordered(pictures.resized(content, *shape), *lacking)
        brush = pictures.resized(style, *pictures.of_longest_side(style, size))
        cost = _cost_model(network, there, brush, each, (content_weight, style_weight, variation_weight))
        start = pictures.bordered(pictures.resized(picture, *shape), *lacking)
        picture = _descend(cost, start, steps, learning_rate, size, found, on_step)[: shape[0], : shape[1]]
        if found.stopped:
            break
    picture = with_colors_of(picture, pictures.resized(content, *picture.shape[:2])) if keep_colors else picture
    found.picture = (picture * 255 + 0.5).astype(np.uint8)
    found.seconds = time.perf_counter() - began
    return found


def _descend(cost: Model, picture: np.ndarray, steps: int, rate: float, size: int, found: Stylized,
             on_step: Callable[[int, dict[str, float]], Any] | None) -> np.ndarray:
    """Return the picture after some steps; where something is not finite, or at Ctrl-C, the last good one."""
    pixels = Parameter(picture[None].copy(), "pixels", "picture/pixels")
    optimizer = optimizers.Adam(optimizers.schedules.CosineDecay(rate, steps, alpha=0.1))
    optimizer.build([pixels])
    good = pixels.value[0].copy()
    try:
        for _ in range(steps):
            parts, slope = differentiate.gradients(cost, pixels.array)
            told = dict(zip(("content", "style", "variation"), (float(one[0]) for one in parts), strict=True))
            told = {"cost": sum(told.values()), **told, "size": size}
            if not np.isfinite(told["cost"]) or not np.isfinite(slope).all():
                found.stopped = f"the cost was {told['cost']} at step {len(found.costs) + 1}"
                break
            good[...] = pixels.array[0]
            found.costs.append(told)
            if on_step is not None and on_step(len(found.costs), told):
                found.stopped = "interrupted"
                break
            pixels.gradient[...] = slope
            optimizer.step(clear=True)
            pixels.assign(np.clip(pixels.array, 0, 1))
        else:
            good[...] = pixels.array[0]
    except KeyboardInterrupt:
        found.stopped = "interrupted"
    return good


def _cost_model(network: FeatureNetwork, content: np.ndarray, style: np.ndarray, each: Sequence[float],
                weights: tuple[float, float, float]) -> Model:
    """Return the model from a picture to its costs, content, style and variation, each with its weight."""
    height, width = content.shape[:2]
    features, of_style = network.features(height, width), network.features(*style.shape[:2])
    contents, _ = _split(network, features, network.prepared(content[None]))
    _, styles = _split(network, of_style, network.prepared(style[None]))
    wanted = [np.asarray(_gram(one)) for one in styles]
    picture = Input((height, width, 3))
    found, drawn = _split(network, features, network.prepared(picture))
    content_part = sum(content_cost(one, target) for one, target in zip(found, contents, strict=True))
    style_part = sum(style_cost(_gram(one), target) * weight
                     for one, target, weight in zip(drawn, wanted, each, strict=True))
    model = Model(picture, [content_part * (weights[0] / len(contents)), style_part * weights[1],
                            total_variation(picture) * weights[2]])
    model.trainable = False  # the pixels are trained alone
    return model


def _gram(features: Any) -> Any:
    """Return the Gram matrix of features, divided by the number of pixels, so that two sizes compare."""
    return gram_matrix(features) / (features.shape[1] * features.shape[2])


def _split(network: FeatureNetwork, features: Any, prepared: Any) -> tuple[list[Any], list[Any]]:
    """Return the features of the content layers and of the style layers."""
    found = features(prepared)
    by_name = dict(zip(network.names, found if isinstance(found, list) else [found], strict=True))
    return [by_name[name] for name in network.content_layers], [by_name[name] for name in network.style_layers]


def _layer_weights(network: FeatureNetwork, given: Sequence[float] | None) -> list[float]:
    """Return lambda of each style layer."""
    each = [1.0] * len(network.style_layers) if given is None else [float(one) for one in given]
    if len(each) != len(network.style_layers) or min(each) < 0 or not 0 < sum(each) < float("inf"):
        raise ArgumentError(f"stylize: expected style_layer_weights for {len(network.style_layers)} layers, none below "
                            f"0 and one above, got {given}")
    return each


def _check(sizes: Sequence[int], steps: int, init: str, rate: float, *weights: float) -> None:
    if not sizes or min(sizes) < _SMALLEST or list(sizes) != sorted(sizes):
        raise ArgumentError(f"stylize: expected sizes from small to large, each at least {_SMALLEST}, got "
                            f"{list(sizes)}")
    if steps < 1:
        raise ArgumentError(f"stylize: expected steps to be at least 1, got {steps}")
    if init not in ("content", "noise"):
        raise ArgumentError(f"stylize: expected init 'content' or 'noise', got {init!r}")
    if not 0 < rate < float("inf") or not all(0 <= one < float("inf") for one in weights) or not sum(weights):
        raise ArgumentError("stylize: expected weights of at least 0, one above, and a learning_rate above 0, got "
                            f"{weights} and {rate}")
