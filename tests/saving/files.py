"""What the tests of saving share: a small model, one without Numba for child processes, and forged files."""

import hashlib
import json

import numpy as np


class Weight:
    """What a Parameter shows to saving."""

    def __init__(self, path, value):
        self.path, self.name, self.value = path, path.rpartition("/")[2], value
        self.shape, self.dtype = value.shape, value.dtype

    def assign(self, value):
        """Set the value."""
        self.value = np.array(value)


class StandIn:
    """What a Sequential shows to saving, so that child processes need not import Numba."""

    name, built = "stand_in", True

    def __init__(self):
        self.weights = [Weight(f"part_{i}/kernel", np.zeros((128, 128 + i), np.float32)) for i in range(2)]

    def named_weights(self):
        """As Sequential's."""
        return {weight.path: weight for weight in self.weights}

    def get_config(self):
        """As Sequential's."""
        return {"name": self.name, "layers": []}

    def contents(self):
        """As Sequential's."""
        structure = {"class_name": "StandIn", "config": self.get_config()}
        return structure, {path: weight.value for path, weight in self.named_weights().items()}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """As Sequential's."""
        return cls()


def small_model(dtype="float32", filters=2):
    """Return a built model with trained weights and statistics."""
    import fastcnn as fc
    from fastcnn import layers

    return fc.Sequential(
        [
            fc.Input((6, 5, 1)),
            layers.Conv2D(
                filters, (np.int64(3), 2), activation="relu", kernel_initializer=fc.initializers.HeNormal(), dtype=dtype
            ),
            layers.BatchNormalization(dtype=dtype),
            layers.MaxPooling2D(2, dtype=dtype),
            layers.Flatten(dtype=dtype),
            layers.Dense(3, dtype=dtype),
        ],
        name="small",
    )


def header_length(content):
    """Return how many bytes come before the tensors."""
    return 8 + int.from_bytes(content[:8], "little")


def forge(path, change):
    """Rewrite a file's header with `change(header, texts)` and digest it anew, as a hostile hand would."""
    content = path.read_bytes()
    end = header_length(content)
    header = json.loads(content[8:end])
    texts = header["__metadata__"]
    change(header, texts)
    texts["digest"] = "0" * 64
    blank = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    signed = blank.replace(b"0" * 64, hashlib.sha256(blank).hexdigest().encode())
    path.write_bytes(len(signed).to_bytes(8, "little") + signed + content[end:])
