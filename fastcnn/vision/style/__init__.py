"""Style transfer: the costs, the networks whose features they compare, and the picture that makes them small."""

from fastcnn.vision.style.colors import with_colors_of
from fastcnn.vision.style.costs import content_cost, gram_matrix, style_cost, total_variation
from fastcnn.vision.style.networks import FeatureNetwork, feature_network
from fastcnn.vision.style.painting import paint
from fastcnn.vision.style.style_net import StyleNet
from fastcnn.vision.style.transfer import Stylized, stylize

__all__ = ["FeatureNetwork", "StyleNet", "Stylized", "content_cost", "feature_network", "gram_matrix", "paint",
           "style_cost", "stylize", "total_variation", "with_colors_of"]
