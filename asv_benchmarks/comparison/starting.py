"""What a user meets who predicts once: seconds from the start of a process, and its peak memory.

As a script it is such a process: ``starting.py fastcnn|onnxruntime FILE BATCH``. It reads a ResNet-50 from a file,
predicts four times, and prints one line of JSON.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_FILES = {"fastcnn": "m.safetensors", "onnxruntime": "m.onnx"}
_TIMES = 2


def measure(name: str) -> dict[str, Any]:
    """Return the row of ``start.resnet50.b1`` or ``peak.resnet50.b8``: onnxruntime's figure over fastcnn's."""
    what, _, batch = name.partition(".resnet50.b")
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder))
        for side in _FILES:
            _run(side, folder, batch)  # writes bytecode, and fills the kernel cache
        found = {side: [_run(side, folder, batch) for _ in range(_TIMES)] for side in _FILES}
    least = {side: {key: min(one[key] for one in each) for key in each[0]} for side, each in found.items()}
    own, peer = least["fastcnn"], least["onnxruntime"]
    key = "peak" if what == "peak" else "first"
    words = (f"{own['peak'] / 1e6:.0f} MB, onnxruntime {peer['peak'] / 1e6:.0f} MB" if what == "peak" else
             f"first prediction after {own['first']:.2f} s, onnxruntime {peer['first']:.2f} s; "
             f"{own['cpu']:.2f} s of CPU; second call {own['second'] / own['later']:.1f} times a later one")
    return {"name": name, "ratio": peer[key] / own[key], "sure": False, "words": f"{words}: {peer[key] / own[key]:.2f}"
            } | least


def _write(folder: Path) -> None:
    import fastcnn as fc

    fc.utils.set_random_seed(0)
    model = fc.applications.ResNet50(weights=None)
    model.save(folder / _FILES["fastcnn"])
    fc.onnx.export(model, folder / _FILES["onnxruntime"])


def _run(side: str, folder: str, batch: str) -> dict[str, float]:
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))}
    environment["PYTHONPYCACHEPREFIX"] = os.path.join(folder, "bytecode")  # an installed package has it
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, __file__, side, os.path.join(folder, _FILES[side]), batch]
    begin = time.perf_counter()
    with subprocess.Popen(command, env=kept | environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()  # printed after the first prediction
        first = time.perf_counter() - begin
        told = process.stdout.readline()
    if process.returncode:
        sys.exit(f"peers.py: {' '.join(command)} failed")
    found: dict[str, float] = json.loads(told)
    return found | {"first": first}


def _predict(side: str, path: str, batch: int) -> None:
    import numpy as np

    x = np.random.default_rng(0).random((batch, 224, 224, 3), dtype=np.float32)
    if side == "fastcnn":
        import fastcnn as fc

        model = fc.saving.load_model(path)
        predict = lambda: model.predict(x, batch_size=batch, verbose=0)
    else:
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        predict = lambda: session.run(None, {session.get_inputs()[0].name: x})
    predict()
    print("predicted", flush=True)
    cpu, times = time.process_time(), []
    for _ in range(6):
        begin = time.perf_counter()
        predict()
        times.append(time.perf_counter() - begin)
    # Not getrusage's, which a process inherits from the one that started it.
    peak = 1024 * int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])  # type: ignore[index]
    print(json.dumps({"cpu": cpu, "second": times[0], "later": statistics.median(times[2:]), "peak": peak}), flush=True)


if __name__ == "__main__":
    sys.path.pop(0)  # this folder, whose files have the names of other modules
    _predict(sys.argv[1], sys.argv[2], int(sys.argv[3]))
