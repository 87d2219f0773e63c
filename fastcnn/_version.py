"""The version of fastcnn, told where nothing else is imported; `pyproject.toml` has the same."""

__version__ = "0.1.0"
