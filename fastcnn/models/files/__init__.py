"""Models to and from files: what a structure and weights on disk become, and what a model hands over to be written.

`reading` has whole models and weights from files of either kind; `own_weights` matches fastcnn's own, `keras_*` what
Keras writes. The bytes are the matter of `fastcnn.formats`.
"""
