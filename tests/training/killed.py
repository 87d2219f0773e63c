"""A training that may be killed at any time: ``python -m tests.training.killed FOLDER`` goes on with what FOLDER holds.

At its end it prints the SHA-256 of weights, predictions, history and the best model's file.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np

import fastcnn as fc
from fastcnn import callbacks, layers


def train(folder, save_freq="auto"):
    """Return the digest of a training with all that draws, averages, waits and stops."""
    draw = np.random.default_rng(0)
    x, y = draw.integers(0, 256, (90, 8, 8, 3)).astype("uint8"), draw.integers(0, 3, 90)
    changes = fc.augmentation.Pipeline([layers.RandomTranslation(0.2, 0.2), layers.RandomBrightness(0.2)], seed=4,
                                       mean=127.0, std=70.0)
    fc.utils.set_random_seed(11)
    model = fc.Sequential([
        fc.Input((8, 8, 3)), layers.RandomFlip(), layers.RandomRotation(0.1), layers.Conv2D(4, 3),
        layers.BatchNormalization(momentum=0.9), layers.ReLU(), layers.MaxPooling2D(2), layers.Flatten(),
        layers.Dropout(0.3), layers.Dense(3, activation="softmax")])  # fmt: skip
    model.compile(fc.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9), "sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    hearers = [
        callbacks.BackupAndRestore(folder / "backup", save_freq=save_freq), callbacks.SwapEMAWeights(),
        callbacks.ReduceLROnPlateau("val_loss", patience=1, factor=0.7),
        callbacks.EarlyStopping("val_loss", patience=8, start_from_epoch=20, restore_best_weights=True),
        callbacks.ModelCheckpoint(folder / "best.safetensors", save_best_only=True)]
    history = model.fit(x, y, batch_size=8, epochs=60, verbose=0, validation_data=(x[:20], y[:20]), callbacks=hearers,
                        augmentation=changes)
    assert 20 < len(history.epoch) < 60, "the training stops early"
    found = hashlib.sha256(repr((history.epoch, sorted(history.history.items()))).encode())
    for array in [*model.get_weights(), model.predict(x, augmentation=changes)]:
        found.update(array.tobytes())
    found.update((folder / "best.safetensors").read_bytes())
    return found.hexdigest()


if __name__ == "__main__":
    print(train(Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else "auto"))
