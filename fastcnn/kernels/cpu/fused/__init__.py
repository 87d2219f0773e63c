"""Several layers in one pass over the data, so that what lies between them never leaves the cache."""
