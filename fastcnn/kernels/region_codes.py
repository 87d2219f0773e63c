"""What kernels of boxes and regions do, by number, as kernels of every device take them."""

#: Of `box_overlaps` and `box_loss`.
IOU, GIOU, DIOU, CIOU = range(4)

#: Of `decode_cells`: YOLO's cells as its second and third version have them, and as its fifth.
EXPONENTIAL, SQUARED_SIGMOID = range(2)

#: Of `suppress_boxes`: what becomes of a box that overlaps with a better one.
HARD, SOFT_LINEAR, SOFT_GAUSSIAN = range(3)

#: Of `grid_sample_forward`: how a place is made of pixels, and what lies outside of an image.
NEAREST, BILINEAR, BICUBIC = range(3)
ZEROS, BORDER, REFLECTION = range(3)
