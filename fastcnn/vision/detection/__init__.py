"""Where things are: a YOLO, from boxes to a network to boxes.

::

    boxes.anchor_sides -> YoloCells -> yolo, YoloLoss, letterboxed -> fit -> Detector: detect, evaluate, save
"""

from fastcnn.vision.detection.cells import YoloCells
from fastcnn.vision.detection.yolo import yolo
from fastcnn.vision.detection.yolo_loss import YoloLoss, YoloParts

__all__ = ["YoloCells", "YoloLoss", "YoloParts", "yolo"]
