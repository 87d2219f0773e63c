"""What a network has learned: which pixels matter to it, which patches excite a unit, what a unit would like to see.

All take a model and pictures as the model takes them, and a layer by the name that ``model.summary()`` shows.
"""

from fastcnn.vision.explanations.ascent import ascend
from fastcnn.vision.explanations.explaining import METHODS, Explanation, explain
from fastcnn.vision.explanations.gradients import grad_cam, guided_gradients, saliency
from fastcnn.vision.explanations.occluding import occlusion
from fastcnn.vision.explanations.patches import ExcitingPatch, exciting_patches

__all__ = ["METHODS", "ExcitingPatch", "Explanation", "ascend", "exciting_patches", "explain", "grad_cam",
           "guided_gradients", "occlusion", "saliency"]
