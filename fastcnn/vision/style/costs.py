"""What style transfer makes small: the distances of content and of style, and the roughness of the picture.

    J(G) = content_weight J_content(C, G) + style_weight J_style(S, G) + variation_weight J_variation(G)

They are functions of tensors and of arrays alike.
"""

from typing import Any

from fastcnn import ops
from fastcnn.layers import Dot, Reshape


def gram_matrix(features: Any) -> Any:
    """Return which channels are active together, (N, C, C), of feature maps (N, H, W, C).

        G[n, k, l] = sum over i, j of features[n, i, j, k] features[n, i, j, l]

    Parameters
    ----------
    features : (N, H, W, C) tensor or array

    References
    ----------
    Gatys, Ecker, Bethge: A neural algorithm of artistic style, 2015, equation 3.

    Examples
    --------
    >>> fc.vision.style.gram_matrix(np.ones((1, 2, 2, 2), "float32"))[0]
    array([[4., 4.],
           [4., 4.]], dtype=float32)
    """
    height, width, channels = features.shape[1:]
    flat = Reshape((height * width, channels))(features)
    return Dot(axes=1)([flat, flat])


def content_cost(features: Any, target: Any) -> Any:
    """Return how far the features of a picture are from the content's, (N,).

        mean of (features - target)^2 / mean of target^2

    Parameters
    ----------
    features, target : (N, H, W, C) tensor or array
        Of the picture and of the content, from one layer.

    References
    ----------
    Gatys, Ecker, Bethge, 2015, equation 1; divided by the target's own size, so that the weights of layers compare.

    Examples
    --------
    >>> ones = np.ones((1, 2, 2, 1), "float32")
    >>> fc.vision.style.content_cost(3 * ones, 2 * ones)
    array([0.25], dtype=float32)
    """
    return ops.mean(ops.square(features - target), axis=(1, 2, 3)) / ops.mean(ops.square(target))


def style_cost(gram: Any, target: Any) -> Any:
    """Return how far two Gram matrices are apart, (N,), by the Frobenius norm of the style's.

        sum of (gram - target)^2 / sum of target^2

    Parameters
    ----------
    gram, target : (N, C, C) tensor or array
        Of the picture and of the style, by `gram_matrix`, divided by their numbers of pixels where these differ.

    References
    ----------
    Gatys, Ecker, Bethge, 2015, equation 4, with the target's norm in the place of 4 N^2 M^2.

    Examples
    --------
    >>> fc.vision.style.style_cost(np.full((1, 1, 1), 3, "float32"), np.full((1, 1, 1), 2, "float32"))
    array([0.25], dtype=float32)
    """
    return ops.sum(ops.square(gram - target), axis=(1, 2)) / ops.sum(ops.square(target))


def total_variation(picture: Any) -> Any:
    """Return how rough a picture is, (N,): the mean squared step from a pixel to the one below, and to the right.

    Parameters
    ----------
    picture : (N, H, W, C) tensor or array

    References
    ----------
    Mahendran, Vedaldi: Understanding deep image representations by inverting them, 2015, section 2, with beta = 2.

    Examples
    --------
    >>> fc.vision.style.total_variation(np.array([[[[0.0], [1.0]], [[0.0], [1.0]]]], "float32"))
    array([1.], dtype=float32)
    """
    down, right = picture[:, 1:] - picture[:, :-1], picture[:, :, 1:] - picture[:, :, :-1]
    return ops.mean(ops.square(down), axis=(1, 2, 3)) + ops.mean(ops.square(right), axis=(1, 2, 3))
