"""What a training has reached, what stands in its way, and what to do next: each figure as a function, and a page.

Functions take arrays: what a network answers (``model.predict``), labels, names. What they return has numbers;
functions that begin with ``draw_`` make an SVG of it, which a notebook shows. `write_page` puts all on one page.
"""

from fastcnn.report.active_units import LayerActivity, unit_activity, units_alike
from fastcnn.report.bias_and_variance import KNOBS, Gap, Gaps, gaps
from fastcnn.report.by_class import ClassScores, GroupScore, class_scores, group_scores, label_scores
from fastcnn.report.charts import (
    draw_bars,
    draw_curve,
    draw_estimate,
    draw_gaps,
    draw_histogram,
    draw_reliability,
    draw_scatter,
)
from fastcnn.report.confident_learning import LabelIssues, label_issues
from fastcnn.report.correcting import corrected, read_corrections, write_corrections
from fastcnn.report.decision_thresholds import ThresholdRates, choose_threshold, rates_at
from fastcnn.report.differing import Difference, differences
from fastcnn.report.drawing import Drawing
from fastcnn.report.evidence import Answered, AsTrained, Evidence
from fastcnn.report.found_in_pictures import FoundPart, box_error, dice_error, draw_boxes, draw_masks
from fastcnn.report.intervals import Estimate, estimate, wilson
from fastcnn.report.layer_costing import LayerCost, layer_costs
from fastcnn.report.learning_curves import Curve, Curves, curves, smoothed
from fastcnn.report.nearest_neighbours import NearestPictures, nearest_pictures, side_by_side
from fastcnn.report.network_pictures import FeatureMaps, Seen, explanations, feature_maps, filters, strongest_patches
from fastcnn.report.page import render, write_page
from fastcnn.report.picked_mistakes import confident_mistakes, sample, worst
from fastcnn.report.precision_in_pictures import average_precision_error
from fastcnn.report.reliability import Calibration, calibration, fit_temperature, with_temperature
from fastcnn.report.tagging import Tags, TagShare, read_tags, tag_shares
from fastcnn.report.training_health import Health, WeightHealth, health

__all__ = ["KNOBS", "Answered", "AsTrained", "Calibration", "ClassScores", "Curve", "Curves", "Difference",
           "Drawing", "Estimate", "Evidence", "FeatureMaps", "FoundPart", "Gap", "Gaps", "GroupScore", "Health",
           "LabelIssues", "LayerActivity", "LayerCost", "NearestPictures", "Seen", "TagShare", "Tags",
           "ThresholdRates", "WeightHealth", "average_precision_error", "box_error", "calibration",
           "choose_threshold", "class_scores", "confident_mistakes", "corrected", "curves", "dice_error",
           "differences", "draw_bars", "draw_boxes", "draw_curve", "draw_estimate", "draw_gaps", "draw_histogram",
           "draw_masks", "draw_reliability", "draw_scatter", "estimate", "explanations", "feature_maps", "filters",
           "fit_temperature", "gaps", "group_scores", "health", "label_issues", "label_scores", "layer_costs",
           "nearest_pictures", "rates_at", "read_corrections", "read_tags", "render", "sample", "side_by_side",
           "smoothed", "strongest_patches", "tag_shares", "unit_activity", "units_alike", "wilson",
           "with_temperature", "worst", "write_corrections", "write_page"]
