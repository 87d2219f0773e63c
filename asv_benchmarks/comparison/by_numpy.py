"""NumPy's side of peers.py: what people write who have no library for boxes. Imported in NumPy's process alone."""

import numpy as np

from asv_benchmarks.comparison.jobs import Job, boxes_with_scores, maps_with_regions


def about() -> str:
    """Return the version, in words."""
    return f"NumPy {np.__version__}, one thread but for products"


def use_one_thread() -> None:
    """Run what follows on one thread, as it does anyway."""


def non_max_suppression(of: str) -> Job:
    """Take the best box, compare it with all that are left, go on."""
    boxes, scores = boxes_with_scores(int(of))
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)

    def run() -> np.ndarray:
        left, kept = np.argsort(-scores, kind="stable"), []
        while left.size:
            best, left = left[0], left[1:]
            kept.append(best)
            low, high = np.maximum(boxes[best, :2], boxes[left, :2]), np.minimum(boxes[best, 2:], boxes[left, 2:])
            common = np.maximum(high - low, 0).prod(1)
            left = left[common / (areas[best] + areas[left] - common) <= 0.5]
        return np.array(kept)

    return Job(lambda: {"kept": run()}, run)


def roi_align(of: str) -> Job:
    """Gather the four pixels about every point of a region, region by region."""
    x, boxes = maps_with_regions(int(of))
    size, points = 7, 2

    def places(begin: float, end: float, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        at = begin + (np.arange(size * points) + 0.5) * (end - begin) / (size * points)
        near = np.clip(at, 0, n - 1)
        low = np.floor(near).astype(np.int64)
        return low, np.minimum(low + 1, n - 1), (near - low) * ((at >= -1) & (at <= n))

    def run() -> np.ndarray:
        y = np.empty((*boxes.shape[:2], size, size, x.shape[3]), np.float32)
        for n, r in np.ndindex(boxes.shape[:2]):
            x1, y1, x2, y2 = boxes[n, r] / 16 - 0.5
            (top, bottom, down), (left, right, across) = places(y1, y2, x.shape[1]), places(x1, x2, x.shape[2])
            above = x[n][top[:, None], left] * (1 - across)[:, None] + x[n][top[:, None], right] * across[:, None]
            below = x[n][bottom[:, None], left] * (1 - across)[:, None] + x[n][bottom[:, None], right] * across[:, None]
            both = above * (1 - down)[:, None, None] + below * down[:, None, None]
            y[n, r] = both.reshape(size, points, size, points, -1).mean((1, 3))
        return y

    return Job(lambda: {"regions": run()}, run)
