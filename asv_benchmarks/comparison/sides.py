"""The sides of a comparison by name, and the project's root."""

from pathlib import Path

PEERS = {"torch": "PyTorch", "onnxruntime": "onnxruntime", "openvino": "OpenVINO", "numpy": "NumPy"}
NAMES = ("fastcnn", *PEERS)
ROOT = Path(__file__).resolve().parents[2]
