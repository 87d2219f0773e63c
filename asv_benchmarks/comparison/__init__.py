"""fastcnn beside others: the parts of ``peers.py``.

    works.py, goals.py         what is compared, by name, and the goals that the ratios are held against
    sides.py, process.py, rounds.py
                               a process a side, and how they are timed in turn
    by_fastcnn/, by_torch/, by_onnxruntime.py, by_openvino.py, by_numpy.py
                               the sides
    jobs.py, published.py, channels_first.py, seeing.py, int8.py
                               the numbers and the networks that the sides share
    alone.py                   what takes fresh processes: starting.py, training_memory.py, direct.py

A kind of work is a function of each side that has it, which returns a `jobs.Job`.
"""
