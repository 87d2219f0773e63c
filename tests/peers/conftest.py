"""Keras runs on PyTorch in these tests."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
