"""What a user meets who predicts once: seconds from the start of a process, and its peak memory.

As a script it is such a process: ``python -m asv_benchmarks.comparison.starting fastcnn|onnxruntime|torch FILE BATCH``.
It reads a ResNet-50 from a file, predicts seven times, and prints one line of JSON.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asv_benchmarks.comparison.process import resident
from asv_benchmarks.comparison.sides import PEERS, ROOT

_FILES = {"fastcnn": "m.safetensors", "onnxruntime": "m.onnx", "torch": "m.pt"}
_TIMES = 2
_EMPTY = 8.0  # seconds to the first prediction that are allowed if nothing is compiled


def measure(name: str, one_core: bool) -> dict[str, Any]:
    """Return the row of one of `works.ALONE` that is of ResNet-50 from a file; of CPU time if one core is asked for."""
    what, _, batch = name.partition(".resnet50.b")
    with tempfile.TemporaryDirectory() as folder:
        ratio, words = {"peak": _peak, "start": _start, "start.empty": _empty, "second": _second}[what](
            Path(folder), int(batch), "cpu" if one_core else "first")
    return {"name": name, "ratio": ratio, "sure": False, "words": f"{words}: {ratio:.2f}"}


def _peak(folder: Path, batch: int, _: str) -> tuple[float, str]:
    own, peer = (_least(side, _written(side, folder), batch) for side in ("fastcnn", "onnxruntime"))
    return (peer["peak"] / own["peak"],
            f"{own['peak'] / 1e6:.0f} MB, onnxruntime {peer['peak'] / 1e6:.0f} MB")


def _start(folder: Path, batch: int, clock: str) -> tuple[float, str]:
    found = {side: _least(side, _written(side, folder), batch) for side in _FILES}
    told = ", ".join(f"{PEERS.get(side, side)} {one['first']:.2f} s ({one['cpu']:.2f} s of CPU)"
                     for side, one in found.items())
    return found["torch"][clock] / found["fastcnn"][clock], told


def _empty(folder: Path, batch: int, clock: str) -> tuple[float, str]:
    path, cache_folder = _written("fastcnn", folder), {"FASTCNN_CACHE_DIR": str(folder / "cache")}
    _run("fastcnn", path, batch)  # writes bytecode, which an installed package has
    first, second = (_run("fastcnn", path, batch, cache_folder) for _ in range(2))
    return _EMPTY / first[clock], (f"{first['first']:.2f} s ({first['cpu']:.2f} s of CPU), the next process "
                                   f"{second['first']:.2f} s ({second['cpu']:.2f}); allowed {_EMPTY:.0f} s")


def _second(folder: Path, batch: int, clock: str) -> tuple[float, str]:
    found, of = _least("fastcnn", _written("fastcnn", folder), batch), "_cpu" if clock == "cpu" else ""
    second, later = found[f"second{of}"], found[f"later{of}"]
    return later / second, f"{1e3 * second:.0f} ms, a later one {1e3 * later:.0f} ms"


def _least(side: str, path: str, batch: int) -> dict[str, float]:
    """Return the least of each figure over a few processes; bytecode is written and kernels are compiled before."""
    _run(side, path, batch)
    found = [_run(side, path, batch) for _ in range(_TIMES)]
    return {key: min(one[key] for one in found) for key in found[0]}


def _written(side: str, folder: Path) -> str:
    """Return the file that a side reads, written by a process of its own."""
    path = str(folder / _FILES[side])
    if not os.path.exists(path):
        _python("-m", "asv_benchmarks.comparison.starting", "write", path, side)
    return path


def _python(*args: str) -> None:
    subprocess.run([sys.executable, *args], check=True, cwd=ROOT)


def _run(side: str, path: str, batch: int, environment: dict[str, str] | None = None) -> dict[str, float]:
    command = [sys.executable, "-m", "asv_benchmarks.comparison.starting", side, path, str(batch)]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    kept["PYTHONPYCACHEPREFIX"] = os.path.join(os.path.dirname(path), "bytecode")  # an installed package has it
    begin = time.perf_counter()
    with subprocess.Popen(command, env=kept | (environment or {}), stdout=subprocess.PIPE, text=True, cwd=ROOT
                          ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # printed after the first prediction
        first = time.perf_counter() - begin
        told = process.stdout.readline()
    if process.returncode:
        sys.exit(f"peers.py: {' '.join(command)} failed")
    found: dict[str, float] = json.loads(told)
    return found | {"first": first}


# --- the script -------------------------------------------------------------------------------------------------------


def _write(path: str, side: str) -> None:
    if side == "torch":
        from asv_benchmarks.comparison.by_torch.published import save_for_start

        return save_for_start(path)
    from asv_benchmarks.comparison.published import built, file_of

    return built("resnet50").save(path) if side == "fastcnn" else os.symlink(file_of("resnet50"), path)


def _prediction(side: str, path: str, batch: int) -> Callable[[], Any]:
    """Return one prediction of a batch; what is read and imported is read and imported here."""
    import numpy as np

    x = np.random.default_rng(0).random((batch, 224, 224, 3), dtype=np.float32)
    if side == "fastcnn":
        import fastcnn as fc

        model = fc.saving.load_model(path)
        return lambda: model.predict(x, batch_size=batch, verbose=0)
    if side == "onnxruntime":
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        given = {session.get_inputs()[0].name: np.ascontiguousarray(x.transpose(0, 3, 1, 2))}
        return lambda: session.run(None, given)

    import torch

    module, images = torch.jit.load(path), torch.from_numpy(x).permute(0, 3, 1, 2)

    def predict() -> Any:
        with torch.inference_mode():
            return module(images)

    return predict


def _predict(side: str, path: str, batch: int) -> None:
    predict = _prediction(side, path, batch)
    predict()
    print("predicted", flush=True)
    found: dict[str, float] = {"cpu": time.process_time()}
    times = []
    for _ in range(6):
        begin, begin_cpu = time.perf_counter(), time.process_time()
        predict()
        times.append((time.perf_counter() - begin, time.process_time() - begin_cpu))
    for of, seconds in zip(("", "_cpu"), zip(*times, strict=True), strict=True):
        found |= {f"second{of}": seconds[0], f"later{of}": statistics.median(seconds[2:])}
    print(json.dumps(found | {"peak": resident("VmHWM")}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "write":
        _write(*sys.argv[2:])
    else:
        _predict(sys.argv[1], sys.argv[2], int(sys.argv[3]))
