"""The losses by number, as kernels of every device take them."""

#: Of `elementwise_loss`.
SQUARED, ABSOLUTE, PERCENTAGE, SQUARED_LOGARITHMIC, HUBER, LOG_COSH, HINGE, SQUARED_HINGE = range(8)

#: Of `binary_loss`.
POISSON, KL_DIVERGENCE, BINARY, BINARY_LOGITS, FOCAL, FOCAL_LOGITS = range(6)

#: Of `row_loss`.
COSINE, CATEGORICAL_HINGE, TVERSKY = range(3)

#: Which triplets count, of `triplet_loss`.
ALL_TRIPLETS, SEMI_HARD, HARD = range(3)
