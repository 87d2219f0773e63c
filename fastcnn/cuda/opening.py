"""Opening a card: once for a process, when somebody asks for it."""

import threading

from fastcnn import device
from fastcnn.cuda.array import DeviceArray
from fastcnn.cuda.device import CudaDevice
from fastcnn.cuda.inquiry import InquiryArray
from fastcnn.errors import DeviceError
from fastcnn.kernels.cuda.compile import launching
from fastcnn.kernels.cuda.compile.shim import SIMULATED

if SIMULATED:
    from fastcnn.kernels.cuda.compile.simulated_card import SimulatedCard as Card
else:
    from fastcnn.kernels.cuda.compile.card import Card  # type: ignore[assignment]

_lock = threading.Lock()
_opened: list[CudaDevice] = []


def opened(index: int) -> CudaDevice:
    """Return the device of a card.

    Parameters
    ----------
    index : int
        As CUDA counts them; CUDA_VISIBLE_DEVICES chooses which it sees.

    Raises
    ------
    DeviceError
        If there is none, it cannot be used, or the process uses another one.
    """
    with _lock:
        if not _opened:
            card = Card(index)
            launching.use(card)
            _opened.append(CudaDevice(card))
            device.register(DeviceArray, _opened[0])
            device.register(InquiryArray, _opened[0].inquiry())
    found = _opened[0]
    if found.card.index != index:
        raise DeviceError(f"cuda:{index}: expected {found.name}, which this process uses; a process drives one card: "
                          f"start another, with CUDA_VISIBLE_DEVICES={index}")
    return found
