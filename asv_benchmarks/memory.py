"""Peak memory of training, above what the imports and one compiled kernel take: in a process of its own."""

import subprocess
import sys

#: Linux alone tells the peak since a moment: 5 written to clear_refs sets VmHWM back to what is resident (proc(5)).
_PROGRAM = """
import re
import numpy as np
from fastcnn import applications, device

def kilobytes(field):
    return int(re.search(field + r":\\s+(\\d+)", open("/proc/self/status").read())[1])

one = np.ones(1, np.float32)
device.cpu.kernels.add(one, one, one)
open("/proc/self/clear_refs", "w").write("5")
before = kilobytes("VmRSS")
model = applications.by_name["{network}"]()
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
x, y = np.ones((1280, 28, 28, 1), np.float32), np.zeros(1280, np.int64)
model.fit(x, y, batch_size=128, epochs=2, verbose=0)
print(1024 * (kilobytes("VmHWM") - before))
"""


class Peak:
    """Two epochs of ten batches of 128; the data, 4 MB, is inside."""

    params, param_names, timeout = [["lenet5", "convnet"]], ["network"], 300

    def setup(self, network):
        if sys.platform != "linux":
            raise NotImplementedError("only Linux tells the peak of a part of a process")

    def track_training(self, network):
        program = [sys.executable, "-c", _PROGRAM.replace("{network}", network)]
        subprocess.run(program, check=True, stdout=subprocess.DEVNULL)  # fills the kernel cache
        return int(subprocess.run(program, check=True, capture_output=True, text=True).stdout)

    track_training.unit = "bytes"
