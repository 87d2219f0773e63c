"""Peak memory of training, above what the imports and one compiled kernel take: in a process of its own."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]


class Peak:
    """Two epochs of ten batches of 128; the data, 4 MB, is inside."""

    params, param_names, timeout = [["lenet5", "convnet"]], ["network"], 300

    def setup(self, network):
        if sys.platform != "linux":
            raise NotImplementedError("only Linux tells the peak of a part of a process")

    def track_training(self, network):
        command = [sys.executable, "-m", "asv_benchmarks.comparison.training_memory", "fastcnn", network]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=_ROOT)  # fills the kernel cache
        return int(subprocess.run(command, check=True, capture_output=True, text=True, cwd=_ROOT).stdout)

    track_training.unit = "bytes"
