"""Seeing: where things are, which pixels, who it is, in whose style, and what a network has learned.

What stands here works with models and pictures alike; each task has a folder of its own.
"""

__all__: list[str] = []
