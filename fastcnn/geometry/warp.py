"""Matrices that say where the pixels of a changed picture lie on the picture, and what becomes of boxes.

A matrix leads from (column, row, 1) of the output to that of the input, times a number where there is perspective;
whole numbers are the middles of pixels. Changes one after the other are one matrix::

    place on the input = M_first (M_second (column, row, 1)^T)        first, then second:  M_first @ M_second

The functions take what is drawn for N images, and return (N, 3, 3) float64 arrays.
"""

import functools

import numpy as np

#: How images are sampled: at the nearest pixel (of two, at the even one), or as a mixture of the four around a place.
NEAREST, BILINEAR = range(2)
INTERPOLATIONS = {"nearest": NEAREST, "bilinear": BILINEAR}

#: What lies outside of a b c d: k k | a b c d | k k,  a a | a b c d | d d,  b a | a b c d | d c,  c b | a b c d | c b,
#: c d | a b c d | a b
CONSTANT, EDGE, REFLECT, MIRROR, WRAP = range(5)
FILL_MODES = {"constant": CONSTANT, "nearest": EDGE, "reflect": REFLECT, "mirror": MIRROR, "wrap": WRAP}

SAMPLING = np.dtype([("interpolation", np.int64), ("fill_mode", np.int64), ("fill_value", np.float64)])

Size = tuple[int, int]  # height, width


@functools.cache
def sampling(interpolation: str = "bilinear", fill_mode: str = "reflect", fill_value: float = 0.0) -> np.ndarray:
    """Return how images are sampled, as kernels take it."""
    return np.array([(INTERPOLATIONS[interpolation], FILL_MODES[fill_mode], fill_value)], SAMPLING)


def identities(count: int) -> np.ndarray:
    """Return matrices that change nothing."""
    return np.broadcast_to(np.eye(3), (count, 3, 3)).copy()


def flips(horizontal: np.ndarray, vertical: np.ndarray, size: Size) -> np.ndarray:
    """Return images mirrored left to right, top to bottom, where two (N,) arrays are true."""
    m = identities(len(horizontal))
    for k, (some, length) in enumerate(((horizontal, size[1]), (vertical, size[0]))):
        m[some, k, k], m[some, k, 2] = -1.0, length - 1
    return m


def translations(right: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Return images moved to the right and down, by pixels."""
    m = identities(len(right))
    m[:, 0, 2], m[:, 1, 2] = -right, -down
    return m


def rotations(angles: np.ndarray, size: Size) -> np.ndarray:
    """Return images turned counterclockwise about their middle, by radians."""
    m = identities(len(angles))
    cos, sin = np.cos(angles), np.sin(angles)
    m[:, 0, 0], m[:, 0, 1], m[:, 1, 0], m[:, 1, 1] = cos, -sin, sin, cos
    return _about_the_middle(m, size)


def zooms(horizontal: np.ndarray, vertical: np.ndarray, size: Size) -> np.ndarray:
    """Return images of which so many times their width and height is seen: above 1 they become smaller."""
    m = identities(len(horizontal))
    m[:, 0, 0], m[:, 1, 1] = horizontal, vertical
    return _about_the_middle(m, size)


def shears(horizontal: np.ndarray, vertical: np.ndarray) -> np.ndarray:
    """Return images in which x looks `horizontal` times y further, and y `vertical` times x; the corner at 0 stays."""
    m = identities(len(horizontal))
    m[:, 0, 1], m[:, 1, 0] = horizontal, vertical
    return m


def perspectives(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return images whose points `starts` come to lie at `ends`, four (x, y) each: (N, 4, 2) arrays.

    The homography H with H(end) = start has 8 unknown numbers and two equations for each point,

        x_start = (h0 x + h1 y + h2) / (h6 x + h7 y + 1),   y_start = (h3 x + h4 y + h5) / (h6 x + h7 y + 1)

    (Hartley and Zisserman, "Multiple view geometry in computer vision", 2004, section 4.1).
    """
    n = len(starts)
    (x, y), equations = (ends[..., 0], ends[..., 1]), np.zeros((n, 4, 2, 8))
    for row in range(2):
        equations[:, :, row, 3 * row:3 * row + 3] = np.stack([x, y, np.ones_like(x)], axis=-1)
        equations[:, :, row, 6:] = -starts[..., row, None] * ends
    h = np.linalg.solve(equations.reshape(n, 8, 8), starts.reshape(n, 8, 1))
    return np.concatenate([h[..., 0], np.ones((n, 1))], axis=1).reshape(n, 3, 3)


def crops(top: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Return the parts of images that begin at a row and a column."""
    return translations(-left, -top)


def resizings(count: int, old: Size, new: Size) -> np.ndarray:
    """Return images of another size, whose corners lie on those of the images."""
    m = identities(count)
    for k, (length, outputs) in enumerate(((old[1], new[1]), (old[0], new[0]))):
        m[:, k, k], m[:, k, 2] = length / outputs, 0.5 * length / outputs - 0.5
    return m


def _about_the_middle(m: np.ndarray, size: Size) -> np.ndarray:
    """Return maps of the plane with the middle of an image, as it was, in its place."""
    middle = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    m[:, :2, 2] = middle - m[:, :2, :2] @ middle
    return m


def moved_points(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return points as they lie on the changed image, inside it or not.

    Parameters
    ----------
    points : (..., 2) array
        x and y in pixels: the corners of the image are at (0, 0) and (width, height).
    matrix : (3, 3) array
        Of the change.

    Returns
    -------
    (..., 2) float64 array
    """
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # from middles of pixels to edges
    there = half @ np.linalg.inv(matrix) @ np.linalg.inv(half)
    points = np.asarray(points, np.float64)
    moved = np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1) @ there.T
    found: np.ndarray = moved[..., :2] / moved[..., 2:]
    return found


def moved_edges(boxes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return what holds the corners of boxes (K, 4) on the changed image, though it may reach out of it.

    Parameters
    ----------
    boxes, matrix : as in `moved_boxes`
    """
    moved = moved_points(np.asarray(boxes, np.float64)[:, [[0, 1], [2, 1], [2, 3], [0, 3]]], matrix)
    edges: np.ndarray = np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1)
    return edges


def kept_shares(boxes: np.ndarray, matrix: np.ndarray, size: Size) -> np.ndarray:
    """Return which share of the area of each box is within the changed image: (K,), 0 of boxes without any.

    Parameters
    ----------
    boxes, matrix, size : as in `moved_boxes`
    """
    edges, within = moved_edges(boxes, matrix), moved_boxes(boxes, matrix, size)
    whole, left = (np.prod(some[:, 2:] - some[:, :2], axis=1) for some in (edges, within))
    shares: np.ndarray = np.divide(left, whole, out=np.zeros(len(whole)), where=whole > 0)
    return shares


def moved_boxes(boxes: np.ndarray, matrix: np.ndarray, size: Size) -> np.ndarray:
    """Return boxes as they lie on the changed image: what holds their corners, cut off at its borders.

    Parameters
    ----------
    boxes : (K, 4) array
        Left, top, right and bottom edge, in pixels: the whole image has (0, 0, width, height).
    matrix : (3, 3) array
        Of the change.
    size : (int, int)
        Height and width of the changed image.

    Returns
    -------
    (K, 4) float64 array
        Of height or width 0 where nothing is left.
    """
    within: np.ndarray = np.clip(moved_edges(boxes, matrix), 0, np.array([size[1], size[0], size[1], size[0]]))
    return within
