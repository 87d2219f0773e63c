"""Matrix products: the register tile, the walks over a product, and the packing of filters."""
