"""What kernels of boxes and regions are told, each one structured array of one element."""

import functools

import numpy as np

#: What becomes of overlapping boxes (a code), above which overlap, how fast Soft-NMS forgets, above which score a box
#: is kept, and how many of a list at most.
SUPPRESSION = np.dtype([("code", np.int64), ("threshold", np.float64), ("sigma", np.float64), ("lowest", np.float64),
                        ("most", np.int64)])

#: Images n, h x w x c, `regions` of each, cut into ph x pw parts. `scale`: pixels of the map a unit of the boxes.
#: `samples`: points of a part along each side, 0 for one a pixel or so. `aligned`: 1 where whole numbers are edges of
#: pixels, 0 where they are middles and no side is shorter than 1, as before ONNX's operator set 16.
REGIONS = np.dtype([(name, np.int64) for name in ("n", "h", "w", "c", "regions", "ph", "pw", "samples", "aligned")]
                   + [("scale", np.float64)])

#: As the codes say: how a place is made of pixels, what lies outside; whether -1 and 1 are the middles of the outermost
#: pixels (1) or their edges.
GRID = np.dtype([("mode", np.int64), ("outside", np.int64), ("corners", np.int64)])

#: Each of YOLO's grids: its rows, columns and prior boxes. The same for all: what numbers mean there and how boxes are
#: compared (codes), within which factor of its prior's sides an object is learned, and above which IoU with an object a
#: place without one learns nothing.
CELLS = np.dtype([(name, np.int64) for name in ("rows", "columns", "priors", "code", "overlap")]
                 + [(name, np.float64) for name in ("ratio", "ignored")])


@functools.lru_cache(maxsize=256)
def suppression(threshold: float, most: int, code: int = 0, sigma: float = 0.5,
                lowest: float = -np.inf) -> np.ndarray:
    """Return how boxes suppress one another, as the kernel takes it; its first code leaves boxes out."""
    return np.array([(code, threshold, sigma, lowest, most)], SUPPRESSION)


@functools.lru_cache(maxsize=256)
def regions(shape: tuple[int, ...], count: int, size: tuple[int, int], scale: float = 1.0, samples: int = 0,
            aligned: bool = True) -> np.ndarray:
    """Return the geometry of regions of images (N, H, W, C), `count` each, that become `size` pixels."""
    n, h, w, c = shape
    return np.array([(n, h, w, c, count, *size, samples, aligned, scale)], REGIONS)


@functools.lru_cache(maxsize=64)
def grid(mode: int, outside: int, corners: bool) -> np.ndarray:
    """Return how places of a grid are read."""
    return np.array([(mode, outside, corners)], GRID)
