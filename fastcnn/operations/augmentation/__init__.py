"""Pictures changed at random: what is drawn for each image, and what each change does to images, masks and boxes."""
