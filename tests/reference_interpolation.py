"""The twin of interpolation: each output of one dimension by itself, from the definitions in ONNX's Resize."""

import math


def place(i, length, outputs, scale, coordinates):
    """Return where output `i` lies on the input."""
    half = (i + 0.5) / scale - 0.5
    if coordinates == "align_corners":
        return 0.0 if outputs == 1 else i * (length - 1) / (outputs - 1)
    return {"half_pixel": half, "pytorch_half_pixel": 0.0 if outputs == 1 else half, "asymmetric": i / scale,
            "tf_half_pixel_for_nn": (i + 0.5) / scale,
            "half_pixel_symmetric": length / 2 * (1 - outputs / (scale * length)) + half}[coordinates]


def rounded(at, rounding):
    """Return a place as a whole number."""
    down = math.floor(at)
    if rounding in ("floor", "ceil"):
        return down if rounding == "floor" else math.ceil(at)
    if at - down == 0.5:
        return down if rounding == "round_prefer_floor" else down + 1
    return down if at - down < 0.5 else down + 1


def kernel(distance, mode, a):
    """Return the weight of a pixel at a distance."""
    t = abs(distance)
    if mode == "linear":
        return max(0.0, 1 - t)
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0


def resized(x, outputs, scale, mode, coordinates="half_pixel", rounding="round_prefer_floor", a=-0.75, antialias=False,
            exclude_outside=False):
    """Return a list of numbers as one of another length."""
    n = len(x)
    y = []
    for i in range(outputs):
        at = place(i, n, outputs, scale, coordinates)
        if mode == "nearest":
            y.append(x[min(max(rounded(at, rounding), 0), n - 1)])
            continue
        stretch = min(1.0, scale) if antialias else 1.0
        total = weights = 0.0
        for k in range(math.floor(at) - 40, math.floor(at) + 40):
            weight = kernel((at - k) * stretch, mode, a)
            if not exclude_outside or 0 <= k < n:
                total += weight * x[min(max(k, 0), n - 1)]
                weights += weight
        y.append(total / weights)
    return y
