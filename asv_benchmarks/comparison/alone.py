"""What peers.py measures in fresh processes: memory, the first prediction, and the share of the multiply-adds."""

import json
import os
import statistics
import subprocess
import sys
from typing import Any

from asv_benchmarks.comparison import starting
from asv_benchmarks.comparison.sides import ROOT


def measure(name: str, one_core: bool = False) -> dict[str, Any]:
    """Return the row of one of `works.ALONE`: a ratio, and words."""
    if name == "memory":
        return _training_memory(name, "convnet", times=3)
    if name == "peak.train.resnet50.b16":
        return _training_memory(name, "resnet50.b16", times=1)
    if ".resnet50." in name:
        return starting.measure(name, one_core)
    return _share_of_peak(name, one_core)


def _training_memory(name: str, network: str, times: int) -> dict[str, Any]:
    """Return what training takes beside PyTorch, the medians of so many processes."""
    script = "training_memory"
    _run(script, "fastcnn", network)  # fills the kernel cache
    own, peer = (statistics.median(_run(script, side, network) for _ in range(times)) for side in ("fastcnn", "torch"))
    return {"name": name, "fastcnn_bytes": own, "torch_bytes": peer, "ratio": peer / own, "sure": True,
            "words": f"{own / 1e6:.1f} MB, PyTorch {peer / 1e6:.1f} MB: {peer / own:.2f}"}


def _share_of_peak(name: str, one_core: bool) -> dict[str, Any]:
    kind = name.partition(".")[2]
    target = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma"} if kind == "avx2" else {}
    dtype = "float64" if kind == "float64" else "float32"
    found = _run("direct", dtype, *(["one"] if one_core else []), **target)
    shares = found["shares"]
    mean = statistics.geometric_mean(shares.values())
    each = ", ".join(f"{layer} {share:.0%}" for layer, share in shares.items())
    return {"name": name, "ratio": mean, "shares": shares, "sure": not one_core, "peak": found["peak"],
            "words": f"{mean:.0%} of {found['peak'] / 1e9:.0f} GFLOP/s ({found['vectors']}): {each}"}


def _run(script: str, *args: str, **environment: str) -> Any:
    """Return what a script of this package prints."""
    command = [sys.executable, "-m", f"asv_benchmarks.comparison.{script}", *args]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        sys.exit(f"peers.py: {script} {' '.join(args)} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])
