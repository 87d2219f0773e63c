"""3x3 convolutions with stride 1 after Winograd: fewer multiplications, between transforms of tiles."""
