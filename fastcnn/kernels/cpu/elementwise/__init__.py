"""Element by element, or row by row: activations, functions, merges, dropout and noise."""
