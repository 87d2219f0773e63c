"""Which pixels: networks that tell the class of each, and the objects that pixels make.

::

    MaskBatches: pixel_shares, border_weights -> unet, fcn -> fit
        -> Segmenter: segment, evaluate, save; large pictures in tiles; mark_objects
"""

from fastcnn.vision.segmentation.fcn_network import fcn
from fastcnn.vision.segmentation.marking import mark_objects
from fastcnn.vision.segmentation.mask_batches import MaskBatches
from fastcnn.vision.segmentation.pixel_targets import pixel_shares
from fastcnn.vision.segmentation.segmented import Segmentation
from fastcnn.vision.segmentation.segmenter import Segmenter
from fastcnn.vision.segmentation.tiling import predict_in_tiles, reach
from fastcnn.vision.segmentation.unet_network import unet
from fastcnn.vision.segmentation.unet_training import unet_recipe
from fastcnn.vision.segmentation.weighting import border_weights

__all__ = ["MaskBatches", "Segmentation", "Segmenter", "border_weights", "fcn", "mark_objects", "pixel_shares",
           "predict_in_tiles", "reach", "unet", "unet_recipe"]
