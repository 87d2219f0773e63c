"""Numbers of 8 bits, for prediction: products of bytes with sums of 32 bits, rounded back to bytes."""
