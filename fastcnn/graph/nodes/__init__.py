"""Nodes: what runs in the place of several layers, one file each.

A node has a layer's verb `forward` where it trains, `predict` where it predicts, and owns nothing but what it folded:
parameters stay the layers'. `fastcnn.graph.rules` puts nodes in place.
"""
