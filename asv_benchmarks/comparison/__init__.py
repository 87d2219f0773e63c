"""fastcnn beside others: the parts of ``peers.py``.

works.py, goals.py         what is compared, by name, and the goals that the ratios are held against
process.py, rounds.py      a process a side, and how they are timed in turn
by_fastcnn/, by_torch/, by_onnxruntime.py, by_openvino.py, by_numpy.py
the sides: a kind of work is a function of each, which returns a `jobs.Job`
jobs.py, seeing.py, graphs.py, int8.py
the numbers and the networks that the sides share
alone.py, starting.py      what takes fresh processes: memory, the first prediction, the share of the peak
"""
