"""Who it is: batches for losses over triplets, verification of pairs, recognition among known ones, one-shot trials.

::

    embeddings of length 1, losses.Triplet, ClassBatches -> a model -> choose_threshold on pairs of other persons
        -> Recognizer: verify (1:1), evaluate, save; Gallery.identify (1:K, with "not recognized")
    siamese_recipe: all of it, of a data set
    siamese, PairBatches -> whether two pictures show one person, by a dense unit
"""

from fastcnn.vision.identity.class_batches import ClassBatches
from fastcnn.vision.identity.drawing import draw_embeddings
from fastcnn.vision.identity.embedding import squared_distances
from fastcnn.vision.identity.gallery import NOT_RECOGNIZED, Gallery, Identified
from fastcnn.vision.identity.known_files import known_persons
from fastcnn.vision.identity.monitor import EmbeddingMonitor
from fastcnn.vision.identity.one_shot import one_shot_accuracy
from fastcnn.vision.identity.pairs import PairBatches, Pairs, balanced_pairs
from fastcnn.vision.identity.recognizer import Recognizer
from fastcnn.vision.identity.siamese_network import siamese
from fastcnn.vision.identity.siamese_training import siamese_recipe
from fastcnn.vision.identity.verification import choose_threshold, verify

__all__ = ["NOT_RECOGNIZED", "ClassBatches", "EmbeddingMonitor", "Gallery", "Identified", "PairBatches", "Pairs",
           "Recognizer", "balanced_pairs", "choose_threshold", "draw_embeddings", "known_persons", "one_shot_accuracy",
           "siamese", "siamese_recipe", "squared_distances", "verify"]
