"""Predictions in 8 bits, of models that were trained in float32.

quantized = fc.quantize(model, images)          # some images that the model may meet, without labels
print(fc.quantization.layer_losses(model, images))
"""

from fastcnn.quantization.calibration import METHODS
from fastcnn.quantization.losing import LayerLoss, LayerLosses
from fastcnn.quantization.quantizing import layer_losses, quantize

__all__ = ["METHODS", "LayerLoss", "LayerLosses", "layer_losses", "quantize"]
