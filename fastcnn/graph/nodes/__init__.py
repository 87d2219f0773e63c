"""Nodes: what runs in the place of several layers, one file each.

====================  ==============================================================================================
training              `ConvBatchNorm`, `ConvMaxPool`
prediction            `FusedConv`, `InvertedResidual`, `WithReLU`
both                  `BatchInterleaved`: a run of narrow layers
====================  ==============================================================================================

A node has a layer's verb `forward` where it trains, `predict` where it predicts (`fastcnn.graph.node`). It owns nothing
but what it folded: parameters stay the layers'. `fastcnn.graph.rules` puts nodes in place.
"""
