"""Two stages: where something may be, then what it is. R-CNN, Fast, Faster and Mask R-CNN.

::

    boxes.anchor_sides -> AnchorGrid -> faster_rcnn, ProposalLoss, RegionLoss; letterboxed -> fit
        -> RegionDetector: detect, evaluate, save
"""

from fastcnn.vision.rcnn.anchor_grid import AnchorGrid
from fastcnn.vision.rcnn.faster_training import faster_rcnn_recipe
from fastcnn.vision.rcnn.mask_loss import MaskLoss
from fastcnn.vision.rcnn.mask_training import mask_rcnn_recipe
from fastcnn.vision.rcnn.masked_detections import MaskedDetections
from fastcnn.vision.rcnn.networks import fast_rcnn, faster_rcnn, mask_rcnn, rcnn
from fastcnn.vision.rcnn.proposal_loss import ProposalLoss
from fastcnn.vision.rcnn.region_detector import RegionDetector
from fastcnn.vision.rcnn.region_loss import RegionLoss
from fastcnn.vision.rcnn.region_segmenter import RegionSegmenter
from fastcnn.vision.rcnn.searched_proposals import selective_search

__all__ = ["AnchorGrid", "MaskLoss", "MaskedDetections", "ProposalLoss", "RegionDetector", "RegionLoss",
           "RegionSegmenter", "fast_rcnn", "faster_rcnn", "faster_rcnn_recipe", "mask_rcnn", "mask_rcnn_recipe", "rcnn",
           "selective_search"]
