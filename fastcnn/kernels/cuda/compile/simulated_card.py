"""A card in the simulator: memory of the host, and streams that are done with whatever they are told."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn.errors import DeviceError
from fastcnn.kernels.cuda.compile.host_memory import bytes_at
from fastcnn.kernels.cuda.compile.simulator import grid

MEMORY = 8 << 30  # bytes that it pretends to have


class SimulatedCard:
    """As `fastcnn.kernels.cuda.compile.card.Card`, in the simulator."""

    name, architecture, driver = "the simulator", "sm_90", (13, 0)
    is_real, dlpack_device = False, (1, 0)
    multiprocessors, flops = 1, 1e6

    def __init__(self, index: int) -> None:
        if index:
            raise DeviceError(f"cuda:{index}: expected a card of this number, got cuda:0; the simulator has one card")
        self.index, self.total, self._used = index, MEMORY, 0
        self.stream = self.copies = None
        self.held = [0]
        self._blocks: dict[int, np.ndarray] = {}

    def allocate(self, size: int) -> int:
        """As `Card.allocate`; the bytes are those of NaN."""
        assert grid.recorded is None, "memory is taken while launches are captured"
        if self._used + size > self.total:
            return 0
        block = np.full(size + 256, 0xFF, np.uint8)
        pointer = block.ctypes.data + -block.ctypes.data % 256
        self._blocks[pointer] = block
        self._used += size
        return pointer

    def free(self, pointer: int) -> None:
        """As `Card.free`."""
        self._used -= self._blocks.pop(pointer).size - 256

    def memory(self) -> tuple[int, int]:
        """As `Card.memory`."""
        return self.total - self._used, self.total

    def fill(self, pointer: int, bits: bytes, count: int) -> None:
        """As `Card.fill`."""
        if self._is_recorded(lambda: self.fill(pointer, bits, count)):
            return
        bytes_at(pointer, len(bits) * count).reshape(count, -1)[...] = np.frombuffer(bits, np.uint8)

    def upload(self, pointer: int, array: np.ndarray) -> None:
        """As `Card.upload`."""
        assert grid.recorded is None, "an upload while launches are captured"
        bytes_at(pointer, array.nbytes)[...] = np.frombuffer(array, np.uint8)

    def download(self, array: np.ndarray, pointer: int) -> None:
        """As `Card.download`."""
        assert grid.recorded is None, "numbers are read while launches are captured"
        array.reshape(-1).view(np.uint8)[...] = bytes_at(pointer, array.nbytes)

    def move(self, pointer: int, source: int, size: int) -> None:
        """As `Card.move`."""
        if self._is_recorded(lambda: self.move(pointer, source, size)):
            return
        bytes_at(pointer, size)[...] = bytes_at(source, size)

    def synchronize(self) -> None:
        """As `Card.synchronize`."""

    def pinned(self, size: int) -> np.ndarray:
        """As `Card.pinned`."""
        return np.empty(size, np.uint8)

    def event(self) -> Any:
        """As `Card.event`."""

    def record(self, event: Any, stream: Any) -> None:
        """As `Card.record`."""

    def wait(self, stream: Any, event: Any) -> None:
        """As `Card.wait`."""

    def finish(self, event: Any) -> None:
        """As `Card.finish`."""

    def upload_pinned(self, pointer: int, staged: np.ndarray) -> None:
        """As `Card.upload_pinned`."""
        self.upload(pointer, staged)

    def captured(self, run: Callable[[], None]) -> Callable[[], None]:
        """As `Card.captured`."""
        calls = grid.recorded = list[Callable[[], None]]()
        try:
            run()
        finally:
            grid.recorded = None

        def replay() -> None:
            for call in calls:
                call()

        return replay

    def _is_recorded(self, call: Callable[[], None]) -> bool:
        if grid.recorded is not None:
            grid.recorded.append(call)
        return grid.recorded is not None
