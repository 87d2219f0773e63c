"""What a network has learned, in pictures: filters, feature maps, patches, and why it answers as it does."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.graph import trace
from fastcnn.models.network import Network
from fastcnn.vision.explanations import ExcitingPatch, exciting_patches, grad_cam, occlusion, saliency
from fastcnn.vision.explanations.passes import Passes

_METHODS = ("occlusion", "gradient", "Grad-CAM")


class FeatureMaps(NamedTuple):
    """What a layer answers to a picture.

    Attributes
    ----------
    layer : str
    maps : (H, W, K) array

    Examples
    --------
    >>> fc.report.FeatureMaps("conv2d", np.zeros((4, 4, 8))).maps.shape
    (4, 4, 8)
    """

    layer: str
    maps: NDArray[Any]


class Seen(NamedTuple):
    """Which pixels of a picture matter, by three methods.

    Attributes
    ----------
    target : int
        The class that is explained.
    learned, random : dict of str to (H, W) array
        By "occlusion", "gradient" and "Grad-CAM": of the network, and of one of the same layers with random weights. A
        method whose two pictures look alike tells of the layers, not of what was learned.

    Examples
    --------
    >>> fc.report.Seen(3, {}, {}).target
    3
    """

    target: int
    learned: dict[str, NDArray[Any]]
    random: dict[str, NDArray[Any]]


def filters(model: Any) -> NDArray[Any] | None:
    """Return the filters of the first convolution, (KH, KW, C, K); None without one.

    Parameters
    ----------
    model : Model
        Built. Models inside it are opened.

    Examples
    --------
    >>> fc.report.filters(fc.Sequential([fc.Input((8, 8, 3)), layers.Conv2D(16, 5)])).shape
    (5, 5, 3, 16)
    """
    for step in trace.opened(model.traced, training=False).steps:
        kernel = getattr(step.node, "kernel", None)
        if kernel is not None and len(kernel.shape) == 4:
            return np.array(kernel.value)
    return None


def feature_maps(model: Network, x: Any, layers: int = 3) -> list[FeatureMaps]:
    """Return what the first convolutions, or other layers with filters, answer to a picture.

    Parameters
    ----------
    model : Model
    x : (H, W, C) array
        The picture as the model takes it.
    layers : int
        How many layers at most, spread from the first to the last.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((8, 8, 1)), layers.Conv2D(2, 3, name="c"), layers.GlobalAveragePooling2D()])
    >>> found = fc.report.feature_maps(model, np.ones((8, 8, 1), "float32"))
    >>> found[0].layer, found[0].maps.shape
    ('c', (6, 6, 2))
    """
    passes = Passes(model, "feature_maps")
    steps = [step for step in passes.graph.steps if _is_bank(step.node)]
    if not steps:
        return []
    chosen = sorted({round(k) for k in np.linspace(0, len(steps) - 1, min(layers, len(steps)))})
    values = passes.forward(passes.pictures(x)).values
    return [FeatureMaps(steps[k].node.name, np.array(device.get(values[steps[k].outputs[0]])[0])) for k in chosen
            if values[steps[k].outputs[0]] is not None]


def strongest_patches(model: Network, x: Any, units: int = 6, count: int = 6) -> tuple[str, list[list[ExcitingPatch]]]:
    """Return, of the last convolution, the patches of pictures that excite its busiest units most.

    Parameters
    ----------
    model : Model
    x : (N, H, W, C) array
        Pictures as the model takes them.
    units, count : int
        How many units, and patches of each, at most.

    Returns
    -------
    layer : str
    patches : list of list of ExcitingPatch
        A list a unit.

    Raises
    ------
    ArgumentError
        If the network has no convolution.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((8, 8, 1)), layers.Conv2D(2, 3, name="c"), layers.GlobalAveragePooling2D()])
    >>> name, found = fc.report.strongest_patches(model, np.ones((3, 8, 8, 1), "float32"), count=2)
    >>> name, [len(one) for one in found]
    ('c', [2, 2])
    """
    passes = Passes(model, "strongest_patches")
    steps = [step for step in passes.graph.steps if _is_bank(step.node)]
    if not steps:
        raise ArgumentError(f"strongest_patches: expected a network with a convolution, got {model}")
    pictures, step = passes.pictures(x), steps[-1]
    at = step.outputs[0]
    maps = np.array(device.get(passes.forward(pictures, at).values[at]))
    busiest = np.argsort(-maps.max(axis=(1, 2)).std(axis=0), kind="stable")[:units]
    return step.node.name, [exciting_patches(model, pictures, step.node.name, int(unit), count) for unit in busiest]


def explanations(model: Network, x: Any, target: int | None = None, random: Network | None = None) -> Seen:
    """Return which pixels of a picture matter, by three methods, and the same of a network with random weights.

    Parameters
    ----------
    model : Model
    x : (H, W, C) array
        The picture as the model takes it.
    target : int, optional
        The class; the model's own answer without it.
    random : Model, optional
        A network of the same layers that has learned nothing, such as ``fc.models.clone_model(model)``.

    References
    ----------
    The check by random weights: Adebayo et al.: Sanity checks for saliency maps, 2018.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()])
    >>> sorted(fc.report.explanations(model, np.ones((8, 8, 1), "float32"), target=1).learned)
    ['Grad-CAM', 'gradient', 'occlusion']
    """
    passes = Passes(model, "explanations")
    pictures = passes.pictures(x)
    if target is None:
        target = int(passes.targets(passes.forward(pictures).values[passes.output], None)[0])
    return Seen(target, _heats(model, pictures, target), {} if random is None else _heats(random, pictures, target))


def _heats(model: Network, x: NDArray[Any], target: int) -> dict[str, NDArray[Any]]:
    window = max(2, min(x.shape[1:3]) // 5)
    found = {"occlusion": occlusion(model, x, target, window, max(1, window // 2))[0],
             "gradient": saliency(model, x, target)[0]}
    if any(_is_bank(step.node) for step in Passes(model, "explanations").graph.steps):
        found["Grad-CAM"] = grad_cam(model, x, target)[0]
    return {name: found[name] for name in _METHODS if name in found}


def _is_bank(node: Any) -> bool:
    """Return whether a layer is a convolution that gives feature maps."""
    shape, kernel = node.output_shape, getattr(node, "kernel", None)
    return kernel is not None and len(kernel.shape) == 4 and isinstance(shape, tuple) and len(shape) == 4
