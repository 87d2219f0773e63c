"""What becomes of the tones of an image, by number, as kernels of every device take it."""

SAME, POSTERIZED, SOLARIZED, EQUALIZED, SHARPENED = range(5)
