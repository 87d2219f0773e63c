"""2D convolution and dense layers as products, their gradients, and how volumes become images."""
