"""How fast layers are, beside what the machine can do and beside PyTorch; ``fastcnn bench`` is the face.

    machine.py       the machine's peak: multiply-adds, and bytes from each level of memory
    layers.py        the layers of a model, one by one, and their place under the roofline
    torch_peer.py    the same layers in PyTorch, in a process of its own
    torch_worker.py  that process
    plot.py          the picture
    load.py          how busy the machine is with other things

The roofline: S. Williams, A. Waterman, D. Patterson, Communications of the ACM 52, 2009.
"""
