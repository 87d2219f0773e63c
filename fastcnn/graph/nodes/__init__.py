"""Nodes: what runs in the place of several layers, one file each.

====================  ==============================================================================================
training              `ConvBatchNorm`, `ConvBatchNormMaxPool`, `ConvMaxPool`
prediction            `FusedConv`, `InvertedResidual`
both                  `BatchInterleaved`: a run of narrow layers; `WithReLU`
====================  ==============================================================================================

A node has a layer's `forward` if it trains and its `predict` if it predicts (`fastcnn.graph.node`). It owns only what
it folded; the parameters stay the layers'. Rules put nodes into a graph (`fastcnn.graph.rules`).
"""
