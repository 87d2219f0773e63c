"""What is done to numbers one by one, or to a row of them: activations, functions, merges, noise."""
