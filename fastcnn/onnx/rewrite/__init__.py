"""What exporters spell out in many nodes becomes the one that it means: a file for each family.

A chain of nodes that begins at one value and ends in one may be written in any order, so it is not matched but tried:
it computes some numbers, and what a known function makes of the same numbers tells which it is.

numbers.py          what nodes compute, in NumPy's double precision
regions.py          the chains of nodes between two values
gates.py            functions of single numbers: SiLU, HardSwish, Mish, GELU, Softplus, ...
normalizations.py   functions of vectors: layer normalization, root mean squares, unit vectors
adaptive.py         pooling to a size that does not divide the image's
detectors.py        regions of each image, and detections after suppression
tiles.py            batch normalization of a whole batch as one sample
quantized.py        operators on integers, between what dequantizes and what quantizes
"""
