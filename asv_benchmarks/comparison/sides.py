"""The sides of a comparison by name, and the project's root."""

from pathlib import Path

PEERS = {"torch": "PyTorch", "onnxruntime": "onnxruntime", "openvino": "OpenVINO", "numpy": "NumPy",
         "float32": "fastcnn in float32"}
ITSELF = "float32"  # the peer that is no other package
NAMES = ("fastcnn", *PEERS)
ROOT = Path(__file__).resolve().parents[2]
