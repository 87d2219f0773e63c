"""From the start of a process: import, help, and the first training step of LeNet-5, each in a process of its own."""

import os
import subprocess
import sys
import tempfile
import time

_FIRST_STEP = """
import time
import numpy as np
from fastcnn import applications
model = applications.LeNet5()
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
model.train_on_batch(np.zeros((128, 28, 28, 1), np.float32), np.zeros(128, np.int64))
print(time.time())
"""


def first_step_seconds(cache_folder: str) -> float:
    """Return the seconds from the start of a process to the end of its first step, with the kernels in a folder."""
    start = time.time()
    process = subprocess.run([sys.executable, "-c", _FIRST_STEP], env=os.environ | {"FASTCNN_CACHE_DIR": cache_folder},
                             check=True, capture_output=True, text=True)
    return float(process.stdout) - start


class FirstStep:
    """LeNet-5's first training step, batch 128, Adam."""

    timeout = 300

    def track_cold(self):
        """With an empty kernel cache: everything is compiled."""
        with tempfile.TemporaryDirectory() as folder:
            return first_step_seconds(folder)

    def track_warm(self):
        """With a filled one; the median of three."""
        with tempfile.TemporaryDirectory() as folder:
            first_step_seconds(folder)
            return sorted(first_step_seconds(folder) for _ in range(3))[1]

    track_cold.unit = track_warm.unit = "seconds"


class Process:
    """Whole processes."""

    repeat = (3, 10, 5.0)

    def time_import(self):
        subprocess.run([sys.executable, "-c", "import fastcnn"], check=True)

    def time_import_layers(self):
        subprocess.run([sys.executable, "-c", "import fastcnn.layers"], check=True)

    def time_help(self):
        subprocess.run([sys.executable, "-m", "fastcnn", "--help"], check=True, stdout=subprocess.DEVNULL)
