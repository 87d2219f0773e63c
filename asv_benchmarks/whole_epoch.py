"""A whole shuffled epoch of a small network: images in shards on a disk beside the same images in an array.

As a benchmark of asv over 64 MiB; over 4 GiB by hand, each way in a process of its own, in turn, from the root::

    python -m asv_benchmarks.whole_epoch --gib 4 --rounds 2
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

SIDE, SHARDS, BATCH = 64, 8, 128
WAYS = ("array", "shards")


def write_shards(folder: Path, size: int) -> None:
    """Write images of so many bytes as ``.npy`` files, as `fastcnn data pack` leaves one."""
    rows, draw = size // SHARDS // (SIDE * SIDE * 3), np.random.default_rng(0)
    for k in range(SHARDS):
        shape = rows, SIDE, SIDE, 3
        shard = np.lib.format.open_memmap(folder / f"{k}.npy", mode="w+", dtype=np.uint8, shape=shape)
        for begin in range(0, rows, 1024):
            shard[begin : begin + 1024] = draw.integers(0, 256, shard[begin : begin + 1024].shape, dtype=np.uint8)
        shard.flush()


def images(folder: Path, way: str) -> Any:
    """Return the images as `fit` takes them: read into one array, or memory maps in the order of the shards."""
    from fastcnn.data.mapped_rows import MappedRows

    shards = [np.load(folder / f"{k}.npy", mmap_mode="r") for k in range(SHARDS)]
    if way == "shards":
        return MappedRows(shards)
    whole = np.empty((sum(map(len, shards)), *shards[0].shape[1:]), np.uint8)
    np.concatenate(shards, out=whole)
    return whole


def epoch(x: Any) -> dict[str, float]:
    """Train one epoch, once kernels are compiled; return its seconds by CPU and by the clock."""
    import fastcnn as fc
    from fastcnn import layers

    class Times(fc.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any) -> None:
            self.begin = time.process_time(), time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any) -> None:
            self.found = time.process_time() - self.begin[0], time.perf_counter() - self.begin[1]

    fc.utils.set_random_seed(0)
    model = fc.Sequential([
        fc.Input((SIDE, SIDE, 3)), layers.Rescaling(1 / 255), layers.Conv2D(16, 3, strides=2, activation="relu"),
        layers.Conv2D(16, 3, strides=2, activation="relu"), layers.GlobalAveragePooling2D(),
        layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    y, times = np.arange(len(x)) % 10, Times()
    model.fit(x[: 4 * BATCH], y[: 4 * BATCH], batch_size=BATCH, verbose=0)
    model.fit(x, y, batch_size=BATCH, verbose=0, callbacks=times)
    return {"cpu": times.found[0], "wall": times.found[1], "own_mib": _own_memory()}


def _own_memory() -> float:
    """Return the memory of this process that lies in no file, at most so far as Linux tells it now, in MiB."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


class ShuffledEpoch:
    """How many times the CPU seconds of an epoch over an array one over shards takes: 64 MiB, three in turn."""

    timeout = 300
    unit = "ratio"

    def setup(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        write_shards(Path(self.folder.name), 64 << 20)

    def teardown(self) -> None:
        self.folder.cleanup()

    def track_shards_over_array(self) -> float:
        of = {way: images(Path(self.folder.name), way) for way in WAYS}
        seconds = [[epoch(of[way])["cpu"] for way in WAYS] for _ in range(3)]
        array, shards = (statistics.median(column) for column in zip(*seconds, strict=True))
        return shards / array


def main(words: Sequence[str] | None = None) -> None:
    """Time both ways in turn and print what they take, and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="with the shards of a run before, or for them")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    given = parser.parse_args(words)
    if given.way:
        print(json.dumps(epoch(images(given.folder, given.way))))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        if not (folder / f"{SHARDS - 1}.npy").exists():
            write_shards(folder, int(given.gib * 2**30))
        found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for _ in range(given.rounds):
            for way in WAYS:
                child = [sys.executable, "-m", "asv_benchmarks.whole_epoch", "--folder", str(folder), "--way", way]
                done = subprocess.run(child, capture_output=True, text=True, check=True)
                found[way].append(json.loads(done.stdout.splitlines()[-1]))
                print(way, {name: round(value, 2) for name, value in found[way][-1].items()}, flush=True)
    for name in ("cpu", "wall"):
        array, shards = (statistics.median(one[name] for one in found[way]) for way in WAYS)
        print(f"{name}: shards / array = {shards / array:.3f}")


if __name__ == "__main__":
    main()
