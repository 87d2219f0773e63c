"""The kernels of the CPU: every public one under its name, as ``kernels/__init__.py`` says how they behave."""

from fastcnn.kernels.cpu.amx.backward_weights import (
    bfloat16_conv2d_backward_weights,
    bfloat16_conv2d_backward_weights_scratch,
)
from fastcnn.kernels.cpu.amx.convolution import (
    bfloat16_conv2d_backward_input,
    bfloat16_conv2d_backward_input_packed,
    bfloat16_conv2d_backward_input_scratch,
    bfloat16_conv2d_forward,
    bfloat16_conv2d_forward_packed,
    bfloat16_conv2d_forward_scratch,
    bfloat16_conv2d_suits,
)
from fastcnn.kernels.cpu.amx.product import tile_product
from fastcnn.kernels.cpu.augmentation.augment import augment, color_backward, warp_backward
from fastcnn.kernels.cpu.augmentation.blur import blur
from fastcnn.kernels.cpu.augmentation.patches import fill_boxes, mix_images, mix_images_backward
from fastcnn.kernels.cpu.augmentation.statistics import channel_means
from fastcnn.kernels.cpu.augmentation.tones import tone_images, tone_images_backward
from fastcnn.kernels.cpu.bf16.backward_weights import (
    pairs_conv2d_backward_weights,
    pairs_conv2d_backward_weights_scratch,
)
from fastcnn.kernels.cpu.bf16.convolution import (
    multiplies_pairs,
    pairs_conv2d_backward_input,
    pairs_conv2d_backward_input_packed,
    pairs_conv2d_backward_input_scratch,
    pairs_conv2d_forward,
    pairs_conv2d_forward_packed,
    pairs_conv2d_forward_suits,
    pairs_conv2d_suits,
)
from fastcnn.kernels.cpu.bf16.inverted_residual import (
    pairs_inverted_residual_forward,
    pairs_inverted_residual_forward_packed,
    pairs_inverted_residual_forward_scratch,
    pairs_inverted_residual_suits,
)
from fastcnn.kernels.cpu.conv.backward_input import (
    conv2d_backward_input,
    conv2d_backward_input_packed,
    conv2d_backward_input_scratch,
)
from fastcnn.kernels.cpu.conv.backward_weights import conv2d_backward_weights, conv2d_backward_weights_scratch
from fastcnn.kernels.cpu.conv.bias import bias_backward, bias_backward_scratch
from fastcnn.kernels.cpu.conv.border import conv2d_border_suits
from fastcnn.kernels.cpu.conv.depth import fold_depth, unfold_depth
from fastcnn.kernels.cpu.conv.few import (
    few_filters_backward_input,
    few_filters_backward_input_packed,
    few_filters_backward_input_suits,
    few_filters_forward,
    few_filters_forward_packed,
    few_filters_forward_suits,
)
from fastcnn.kernels.cpu.conv.few_weights import (
    few_filters_backward_weights,
    few_filters_backward_weights_scratch,
    few_filters_backward_weights_suits,
)
from fastcnn.kernels.cpu.conv.forward import conv2d_forward, conv2d_forward_packed
from fastcnn.kernels.cpu.conv.narrow import (
    narrow_backward_weights,
    narrow_backward_weights_scratch,
    narrow_backward_weights_suits,
)
from fastcnn.kernels.cpu.conv.scaled import (
    scaled_conv2d_forward,
    scaled_conv2d_forward_packed,
    scaled_conv2d_forward_scratch,
    scaled_conv2d_suits,
)
from fastcnn.kernels.cpu.depthwise.backward_weights import (
    depthwise2d_backward_weights,
    depthwise2d_backward_weights_scratch,
)
from fastcnn.kernels.cpu.depthwise.forward import (
    depthwise2d_backward_input,
    depthwise2d_backward_input_scratch,
    depthwise2d_forward,
    depthwise2d_forward_scratch,
)
from fastcnn.kernels.cpu.elementwise.activation import (
    activation_backward,
    activation_forward,
)
from fastcnn.kernels.cpu.elementwise.bfloat16 import (
    add_bfloat16,
    narrow_bfloat16,
    pad_short_pixels,
    relu_backward_bfloat16,
    round_bfloat16,
    widen_bfloat16,
)
from fastcnn.kernels.cpu.elementwise.binary import binary_forward
from fastcnn.kernels.cpu.elementwise.dropout import dropout
from fastcnn.kernels.cpu.elementwise.function import function_backward, function_forward
from fastcnn.kernels.cpu.elementwise.merge import merge_backward, merge_backward_scratch, merge_forward
from fastcnn.kernels.cpu.elementwise.noise import gaussian_noise, uniform_numbers
from fastcnn.kernels.cpu.elementwise.reduce_rows import reduce_rows_backward, reduce_rows_forward
from fastcnn.kernels.cpu.elementwise.softmax import softmax_backward, softmax_forward
from fastcnn.kernels.cpu.evaluation.matching import match_detections
from fastcnn.kernels.cpu.fused.inverted_residual import (
    inverted_residual_forward,
    inverted_residual_forward_packed,
    inverted_residual_forward_scratch,
    inverted_residual_suits,
)
from fastcnn.kernels.cpu.fused.lanes import (
    lanes_backward,
    lanes_backward_scratch,
    lanes_forward,
    lanes_forward_scratch,
    lanes_of_block,
    lanes_saved,
)
from fastcnn.kernels.cpu.int8.conv import byte_slack, quantized_columns, quantized_conv2d, quantized_conv2d_packed
from fastcnn.kernels.cpu.int8.depthwise import quantized_channels, quantized_depthwise2d, quantized_depthwise2d_packed
from fastcnn.kernels.cpu.int8.elementwise import (
    byte_border,
    byte_table,
    dequantize_bytes,
    quantize_bytes,
    quantized_add,
)
from fastcnn.kernels.cpu.int8.pooling import byte_max_pool2d, quantized_average_pool2d
from fastcnn.kernels.cpu.int8.tiles import (
    quantized_tiles2d,
    quantized_tiles2d_columns,
    quantized_tiles2d_packed,
    quantized_tiles2d_scratch,
    quantized_tiles2d_suits,
)
from fastcnn.kernels.cpu.int8.unit import byte_tile_product
from fastcnn.kernels.cpu.layout.arrays import add, copy_columns, gather, pad2d
from fastcnn.kernels.cpu.layout.padding import pad3d_backward, pad3d_forward
from fastcnn.kernels.cpu.layout.permute import permute
from fastcnn.kernels.cpu.layout.resize import resize2d
from fastcnn.kernels.cpu.layout.top_rows import top_rows_backward, top_rows_forward
from fastcnn.kernels.cpu.losses.binary import binary_loss
from fastcnn.kernels.cpu.losses.categorical import categorical_crossentropy, sparse_categorical_crossentropy
from fastcnn.kernels.cpu.losses.elementwise import elementwise_loss
from fastcnn.kernels.cpu.losses.rows import fold_losses, row_loss
from fastcnn.kernels.cpu.losses.softmax import (
    softmax_categorical_crossentropy,
    softmax_sparse_categorical_crossentropy,
)
from fastcnn.kernels.cpu.losses.triplets import triplet_loss
from fastcnn.kernels.cpu.normalization.batch import (
    batch_norm_backward,
    batch_norm_backward_scratch,
    batch_norm_forward,
    batch_norm_forward_scratch,
    batch_norm_predict,
    batch_norm_predict_scratch,
)
from fastcnn.kernels.cpu.normalization.group import (
    group_norm_backward,
    group_norm_backward_scratch,
    group_norm_forward,
    group_norm_forward_scratch,
)
from fastcnn.kernels.cpu.normalization.local_response import (
    local_response_norm_backward,
    local_response_norm_forward,
    local_response_norm_scratch,
)
from fastcnn.kernels.cpu.normalization.pooled import (
    batch_norm_pool_backward,
    batch_norm_pool_backward_scratch,
    batch_norm_pool_forward,
    batch_norm_pool_forward_scratch,
)
from fastcnn.kernels.cpu.normalization.unit_rows import unit_rows_backward, unit_rows_forward
from fastcnn.kernels.cpu.optimizers.adaptive import adaptive_step
from fastcnn.kernels.cpu.optimizers.bounded_norms import bound_norms, bound_norms_scratch
from fastcnn.kernels.cpu.optimizers.descent import adam, sgd
from fastcnn.kernels.cpu.optimizers.factored import factored_step, factored_step_scratch
from fastcnn.kernels.cpu.optimizers.parts import moving_average, scale_parts, squared_norms, squared_norms_scratch
from fastcnn.kernels.cpu.optimizers.penalty import penalty, penalty_scratch
from fastcnn.kernels.cpu.peak import multiply_add_chain, repeated_copy, triad
from fastcnn.kernels.cpu.pooling.average import average_pool2d_backward, average_pool2d_forward
from fastcnn.kernels.cpu.pooling.l2 import l2_step
from fastcnn.kernels.cpu.pooling.max import max_pool2d_backward, max_pool2d_forward, max_pool2d_index_type
from fastcnn.kernels.cpu.regions.align import roi_align_backward, roi_align_forward
from fastcnn.kernels.cpu.regions.cell_loss import cell_loss
from fastcnn.kernels.cpu.regions.coding import (
    decode_boxes,
    decode_boxes_backward,
    decode_cells,
    decode_cells_backward,
    encode_boxes,
)
from fastcnn.kernels.cpu.regions.grid_sample import grid_sample_backward, grid_sample_forward
from fastcnn.kernels.cpu.regions.matching import match_boxes, match_boxes_scratch
from fastcnn.kernels.cpu.regions.overlap import box_loss, box_overlaps
from fastcnn.kernels.cpu.regions.pool import roi_pool_backward, roi_pool_forward
from fastcnn.kernels.cpu.regions.suppression import best_detections, order_rows, suppress_boxes
from fastcnn.kernels.cpu.simd.activations import epilogue_activation_suits
from fastcnn.kernels.cpu.simd.pairs import add_products_of_pairs
from fastcnn.kernels.cpu.winograd.backward_weights import (
    winograd_backward_weights,
    winograd_backward_weights_scratch,
    winograd_backward_weights_suits,
)
from fastcnn.kernels.cpu.winograd.forward import (
    winograd_backward_input,
    winograd_backward_input_packed,
    winograd_backward_input_scratch,
    winograd_backward_input_suits,
    winograd_forward,
    winograd_forward_packed,
    winograd_forward_scratch,
    winograd_forward_suits,
    winograd_possible,
)
from fastcnn.kernels.cpu.winograd.joined import (
    joined_winograd_backward_input,
    joined_winograd_backward_input_scratch,
    joined_winograd_backward_weights,
    joined_winograd_forward,
    joined_winograd_forward_scratch,
)

# fmt: off
__all__ = [
    "activation_backward", "activation_forward", "adam", "adaptive_step", "add", "add_bfloat16",
    "add_products_of_pairs", "augment", "average_pool2d_backward",
    "average_pool2d_forward", "batch_norm_backward", "batch_norm_backward_scratch", "batch_norm_forward",
    "batch_norm_forward_scratch", "batch_norm_pool_backward", "batch_norm_pool_backward_scratch",
    "batch_norm_pool_forward", "batch_norm_pool_forward_scratch", "batch_norm_predict", "batch_norm_predict_scratch",
    "best_detections",
    "bfloat16_conv2d_backward_input", "bfloat16_conv2d_backward_input_packed",
    "bfloat16_conv2d_backward_input_scratch", "bfloat16_conv2d_backward_weights",
    "bfloat16_conv2d_backward_weights_scratch", "bfloat16_conv2d_forward", "bfloat16_conv2d_forward_packed",
    "bfloat16_conv2d_forward_scratch", "bfloat16_conv2d_suits", "bias_backward", "bias_backward_scratch",
    "binary_forward", "binary_loss", "blur", "bound_norms", "bound_norms_scratch", "box_loss", "box_overlaps",
    "byte_border", "byte_max_pool2d", "byte_slack", "byte_table", "byte_tile_product", "categorical_crossentropy",
    "cell_loss",
    "channel_means", "color_backward", "conv2d_backward_input", "conv2d_backward_input_packed",
    "conv2d_backward_input_scratch", "conv2d_backward_weights", "conv2d_backward_weights_scratch",
    "conv2d_border_suits", "conv2d_forward", "conv2d_forward_packed", "copy_columns", "decode_boxes",
    "decode_boxes_backward", "decode_cells",
    "decode_cells_backward", "depthwise2d_backward_input", "depthwise2d_backward_input_scratch",
    "depthwise2d_backward_weights", "depthwise2d_backward_weights_scratch", "depthwise2d_forward",
    "depthwise2d_forward_scratch", "dequantize_bytes", "dropout", "elementwise_loss", "encode_boxes",
    "epilogue_activation_suits", "factored_step",
    "factored_step_scratch", "few_filters_backward_input", "few_filters_backward_input_packed",
    "few_filters_backward_input_suits", "few_filters_backward_weights", "few_filters_backward_weights_scratch",
    "few_filters_backward_weights_suits", "few_filters_forward", "few_filters_forward_packed",
    "few_filters_forward_suits", "fill_boxes", "fold_depth", "fold_losses", "function_backward", "function_forward",
    "gather", "gaussian_noise", "grid_sample_backward", "grid_sample_forward", "group_norm_backward",
    "group_norm_backward_scratch", "group_norm_forward", "group_norm_forward_scratch", "inverted_residual_forward",
    "inverted_residual_forward_packed", "inverted_residual_forward_scratch", "inverted_residual_suits",
    "joined_winograd_backward_input", "joined_winograd_backward_input_scratch", "joined_winograd_backward_weights",
    "joined_winograd_forward", "joined_winograd_forward_scratch", "l2_step",
    "lanes_backward", "lanes_backward_scratch", "lanes_forward", "lanes_forward_scratch", "lanes_of_block",
    "lanes_saved", "local_response_norm_backward", "local_response_norm_forward", "local_response_norm_scratch",
    "match_boxes", "match_boxes_scratch", "match_detections", "max_pool2d_backward", "max_pool2d_forward",
    "max_pool2d_index_type", "merge_backward", "merge_backward_scratch", "merge_forward", "mix_images",
    "mix_images_backward", "moving_average", "multiplies_pairs", "multiply_add_chain", "narrow_backward_weights",
    "narrow_backward_weights_scratch", "narrow_backward_weights_suits", "narrow_bfloat16", "order_rows", "pad2d",
    "pad3d_backward", "pad3d_forward", "pad_short_pixels",
    "pairs_conv2d_backward_input", "pairs_conv2d_backward_input_packed",
    "pairs_conv2d_backward_input_scratch", "pairs_conv2d_backward_weights",
    "pairs_conv2d_backward_weights_scratch", "pairs_conv2d_forward", "pairs_conv2d_forward_packed",
    "pairs_conv2d_forward_suits",
    "pairs_conv2d_suits", "pairs_inverted_residual_forward", "pairs_inverted_residual_forward_packed",
    "pairs_inverted_residual_forward_scratch", "pairs_inverted_residual_suits", "penalty", "penalty_scratch",
    "permute", "quantize_bytes", "quantized_add",
    "quantized_average_pool2d", "quantized_channels", "quantized_columns", "quantized_conv2d",
    "quantized_conv2d_packed", "quantized_depthwise2d", "quantized_depthwise2d_packed",
    "quantized_tiles2d", "quantized_tiles2d_columns", "quantized_tiles2d_packed", "quantized_tiles2d_scratch",
    "quantized_tiles2d_suits",
    "reduce_rows_backward",
    "reduce_rows_forward", "relu_backward_bfloat16", "repeated_copy",
    "resize2d", "roi_align_backward", "roi_align_forward", "roi_pool_backward",
    "roi_pool_forward", "round_bfloat16", "row_loss", "scale_parts",
    "scaled_conv2d_forward", "scaled_conv2d_forward_packed", "scaled_conv2d_forward_scratch", "scaled_conv2d_suits",
    "sgd", "softmax_backward",
    "softmax_categorical_crossentropy", "softmax_forward", "softmax_sparse_categorical_crossentropy",
    "sparse_categorical_crossentropy", "squared_norms", "squared_norms_scratch", "suppress_boxes", "tile_product",
    "tone_images", "tone_images_backward", "top_rows_backward", "top_rows_forward", "triad", "triplet_loss",
    "unfold_depth", "uniform_numbers", "unit_rows_backward", "unit_rows_forward", "warp_backward",
    "widen_bfloat16", "winograd_backward_input", "winograd_backward_input_packed", "winograd_backward_input_scratch",
    "winograd_backward_input_suits", "winograd_backward_weights", "winograd_backward_weights_scratch",
    "winograd_backward_weights_suits", "winograd_forward", "winograd_forward_packed", "winograd_forward_scratch",
    "winograd_forward_suits", "winograd_possible",
]
# fmt: on
