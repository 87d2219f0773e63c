"""Who it is: batches for losses over triplets, verification of pairs, recognition among known ones, one-shot trials.

::

    embeddings of length 1, losses.Triplet, ClassBatches -> a model -> choose_threshold on pairs of other persons
        -> verify (1:1), Gallery.identify (1:K, with "not recognized"), one_shot_accuracy
"""

from fastcnn.vision.identity.class_batches import ClassBatches
from fastcnn.vision.identity.gallery import (
    NOT_RECOGNIZED,
    Gallery,
    Identified,
    choose_threshold,
    squared_distances,
    verify,
)
from fastcnn.vision.identity.one_shot import one_shot_accuracy

__all__ = ["NOT_RECOGNIZED", "ClassBatches", "Gallery", "Identified", "choose_threshold", "one_shot_accuracy",
           "squared_distances", "verify"]
