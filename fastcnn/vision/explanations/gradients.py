"""Which pixels matter: saliency, guided gradients and Grad-CAM, by the gradient of a class's logit."""

from typing import Any

import numpy as np

from fastcnn import device, ops
from fastcnn.errors import ArgumentError
from fastcnn.models.network import Network
from fastcnn.vision.explanations.passes import Passes, one_hot


def saliency(model: Network, x: Any, target: Any = None) -> np.ndarray:
    """Return how much each pixel moves the logit of a class, (N, H, W).

        max over channels of |d logit / d x|

    Parameters
    ----------
    model : Model
    x : (N, H, W, C) or (H, W, C) array
        Pictures as the model takes them.
    target : int or sequence of int, optional
        The class for all, or for each, picture; the model's own answer without it.

    Raises
    ------
    ArgumentError, DataError
        If the model is not of pictures, the pictures are not the model's, or there is no such class.

    References
    ----------
    Simonyan, Vedaldi, Zisserman: Deep inside convolutional networks, 2013, section 3.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((4, 4, 1)), layers.Flatten(), layers.Dense(2, activation="softmax")])
    >>> fc.vision.explanations.saliency(model, np.ones((1, 4, 4, 1), "float32")).shape
    (1, 4, 4)
    """
    return np.abs(_gradient(Passes(model, "saliency", x), x, target, guided=False)).max(-1)


def guided_gradients(model: Network, x: Any, target: Any = None) -> np.ndarray:
    """Return the gradient of a class's logit, (N, H, W, C), where each ReLU lets back only what is positive.

    Parameters
    ----------
    model, x, target : as `saliency`

    References
    ----------
    Springenberg, Dosovitskiy, Brox, Riedmiller: Striving for simplicity, 2014, section 3.4.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((4, 4, 1)), layers.Conv2D(2, 3, activation="relu"), layers.Flatten(),
    ...                        layers.Dense(2)])
    >>> fc.vision.explanations.guided_gradients(model, np.ones((1, 4, 4, 1), "float32")).shape
    (1, 4, 4, 1)
    """
    return _gradient(Passes(model, "guided_gradients", x), x, target, guided=True)


def grad_cam(model: Network, x: Any, target: Any = None, layer: str | None = None, resize: bool = True) -> np.ndarray:
    """Return where the network sees a class, (N, H, W), not negative.

        heat = max(sum over k of a_k A_k, 0), a_k the mean over the map of d logit / d A_k

    Parameters
    ----------
    model, x, target : as `saliency`
    layer : str, optional
        Whose feature maps A are taken; the last ones without it.
    resize : bool
        Whether the map is brought to the size of the picture, linearly.

    References
    ----------
    Selvaraju et al.: Grad-CAM, 2016, equations 1 and 2.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((8, 8, 1)), layers.Conv2D(2, 3, name="c"), layers.GlobalAveragePooling2D(),
    ...                        layers.Dense(2)])
    >>> fc.vision.explanations.grad_cam(model, np.ones((1, 8, 8, 1), "float32"), layer="c", resize=False).shape
    (1, 6, 6)
    """
    passes = Passes(model, "grad_cam", x)
    x, at = passes.pictures(x), passes.slot(layer)
    record = passes.forward(x)
    maps = record.values[at]
    if maps is None or maps.ndim != 4:
        raise ArgumentError(f"grad_cam: expected a layer with feature maps (H, W, K) before the outputs, got {layer!r}")
    maps, logits = device.get(maps).copy(), record.values[passes.output]
    slope = record.backward(passes.output, one_hot(logits.shape, passes.targets(logits, target)), at)
    heat = np.maximum((maps * slope.mean((1, 2), keepdims=True)).sum(-1), 0)
    return heat if not resize else np.asarray(ops.image.resize(heat[..., None], x.shape[1:3]))[..., 0]


def _gradient(passes: Passes, x: Any, target: Any, guided: bool) -> np.ndarray:
    """Return the gradient of a class's logit at the pixels, (N, H, W, C)."""
    record = passes.forward(passes.pictures(x))
    logits = record.values[passes.output]
    seed = one_hot(logits.shape, passes.targets(logits, target))
    return record.backward(passes.output, seed, passes.graph.inputs[0], guided).copy()
