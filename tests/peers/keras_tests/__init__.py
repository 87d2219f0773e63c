"""Keras's own unit tests, which its wheel carries, run against fastcnn. The test files stay as they are.

    python -m tests.peers.keras_tests                    # every area: minutes
    python -m tests.peers.keras_tests layers/pooling     # an area, a folder or a file; -v names every failure

`keras` and `keras.src` are swapped for fastcnn's public names in a process of its own (`names`). What tests make arrays
with is NumPy (`arrays`), their harness is Keras's own but for what `harness` leaves out, and what is not fastcnn's
business is listed with its reason (`outside`).
"""
