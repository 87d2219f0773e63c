"""How Ctrl-C becomes a KeyboardInterrupt that is not lost while kernels are compiled."""

import _thread
import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_RETRY = 0.05  # seconds


def raise_interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt as Python does at SIGINT, but later if LLVM is at work.

    LLVM calls back into Python when it is done with a function, and a signal that came meanwhile is delivered there:
    its exception would be printed as ignored, and be lost.
    """
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith("llvmlite"):
            timer = threading.Timer(_RETRY, _thread.interrupt_main)
            timer.daemon = True
            timer.start()
            return
        frame = frame.f_back
    raise KeyboardInterrupt


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT call `raise_interrupt`, where nobody else has taken it."""
    is_main = threading.current_thread() is threading.main_thread()  # only the main thread may set handlers
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, raise_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
