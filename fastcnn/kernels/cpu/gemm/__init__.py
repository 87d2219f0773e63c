"""The register tile, its walks over a product and the packing of filters: what convolutions multiply with."""
"""The register tile, its walks over a product and the packing of filters: what convolutions multiply with."""
