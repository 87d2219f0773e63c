"""Pictures with more than a class: boxes of objects, masks, and who or what is shown by whom."""
