"""Where things are: a YOLO, from boxes to a network to boxes.

::

    boxes.anchor_sides -> YoloCells -> yolo, YoloLoss, YoloAveragePrecision; letterboxed -> fit
        -> Detector: detect, evaluate, choose_threshold, save; reparameterized -> folded, prediction_model
"""

from fastcnn.metrics.precision_curves import OperatingPoint
from fastcnn.vision.detection.average_precision import YoloAveragePrecision
from fastcnn.vision.detection.cells import YoloCells
from fastcnn.vision.detection.detections import Detections
from fastcnn.vision.detection.detector import Detector
from fastcnn.vision.detection.letterboxing import letterboxed
from fastcnn.vision.detection.picture_detector import PictureDetector
from fastcnn.vision.detection.reparameterizing import reparameterized
from fastcnn.vision.detection.yolo_loss import YoloLoss, YoloParts
from fastcnn.vision.detection.yolo_network import yolo
from fastcnn.vision.detection.yolo_training import yolo_recipe

__all__ = ["Detections", "Detector", "OperatingPoint", "PictureDetector", "YoloAveragePrecision", "YoloCells",
           "YoloLoss", "YoloParts", "letterboxed", "reparameterized", "yolo", "yolo_recipe"]
