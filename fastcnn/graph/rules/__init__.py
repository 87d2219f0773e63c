"""Rules that rewrite a graph: what runs in the place of what, for training and for prediction."""
