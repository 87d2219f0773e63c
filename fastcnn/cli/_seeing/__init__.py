"""The commands for runs that see: where things are, which pixels, who it is. Trained by recipes of `fastcnn.vision`."""
