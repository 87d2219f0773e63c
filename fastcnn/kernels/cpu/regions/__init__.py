"""Boxes, and parts of feature maps that boxes or grids point at."""
