"""Bytes on disk: what files hold and how they are written and read. Nothing here knows a model.

`files` has names of files as users give them, and writes a file whole or not at all, by way of `hidden_files`;
`safetensors` is fastcnn's own file, with a digest of everything in it; `keras` opens the files that Keras writes, and
`hdf5` reads what is inside those; `file_kinds` tells what a file is by its first bytes. What becomes of a structure
and of weights is the matter of `fastcnn.models.files`.
"""
