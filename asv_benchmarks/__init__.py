"""Benchmarks of fastcnn, for asv (``asv.conf.json``), and the comparison with PyTorch, ``peers.py``.

    conv.py, pool.py, ...      the kernels of the file of that name, at the shapes of known networks (shapes.py,
                               networks.py)
    layers.py                  convolution layers of every distinct published shape
    training.py                training steps, prediction of one image, launches in a step
    startup.py                 import, --help, the first training step with an empty and with a filled kernel cache
    memory.py                  peak memory of training
    whole_epoch.py             a shuffled epoch over shards on a disk beside one over an array; run it for 4 GiB
    step.py                    where the time of a training step goes, kernel by kernel: run it
    peers.py                   the table of goals, fastcnn beside PyTorch: run it; comparison/ is what it runs

asv may fork the process that imported these files. Threads do not survive that, and fastcnn starts them when its
kernels are imported: so it is imported where it is used, in `setup` and below.

asv calls `setup` before every timed call; what it makes is therefore kept (``functools.cache``), touched and warm.
"""
