"""Which part of an image has a ratio of height to width, and what to put around it to have one: Keras's rules.

A border of negative numbers is cut off, as in `fastcnn.geometry.resize.pad3d`.
"""

Size = tuple[int, int]  # height, width
Border = tuple[tuple[int, int], tuple[int, int]]  # (top, bottom), (left, right)

NO_BORDER: Border = ((0, 0), (0, 0))


def cut_to(size: Size, target: Size) -> Border:
    """Return what is cut off so that the middle `target` is left of `size`, which is as large or larger."""
    return _cut(size[0], target[0]), _cut(size[1], target[1])


def cut_to_ratio(size: Size, target: Size) -> Border:
    """Return what is cut off so that the largest middle part with the ratio of `target` is left."""
    (height, width), (h, w) = size, target
    return cut_to(size, (max(1, min(height, width * h // w)), max(1, min(width, height * w // h))))


def padded_to_ratio(size: Size, target: Size) -> Border:
    """Return the smallest border, alike on both sides, that gives the ratio of `target`, rounded down."""
    (height, width), (h, w) = size, target
    vertical, horizontal = (max(0, width * h // w - height)) // 2, (max(0, height * w // h - width)) // 2
    return (vertical, vertical), (horizontal, horizontal)


def with_border(size: Size, border: Border) -> Size:
    """Return the size of an image with a border."""
    return size[0] + sum(border[0]), size[1] + sum(border[1])


def _cut(length: int, target: int) -> tuple[int, int]:
    before = (length - target) // 2
    return -before, before + target - length
