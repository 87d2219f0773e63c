"""Changes of pictures: geometry, colour, blur, mixtures; each image with parameters of its own."""
