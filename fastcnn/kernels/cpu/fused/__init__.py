"""Several layers in one pass over the data, so that intermediate results never leave the cache."""
