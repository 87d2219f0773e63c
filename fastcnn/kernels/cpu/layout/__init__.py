"""Numbers that move: copies, borders, axes in another order, other sizes, the largest of a row."""
