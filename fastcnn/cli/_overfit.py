"""``fastcnn train --overfit-batch``: a network that cannot learn one batch by heart cannot learn."""

import time
from typing import Any

from fastcnn.callbacks import Callback, Logs
from fastcnn.cli._compiling import Compiling
from fastcnn.cli._practice import images_of_step, limited
from fastcnn.errors import DivergedError

MOST = 500  # steps
ENOUGH = 0.01  # of the loss, with every image right


class UntilLearned(Callback):
    """Ends training once a batch is known by heart.

    Attributes
    ----------
    losses, accuracies : list of float
        Of each step, before it was taken.
    """

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.accuracies: list[float] = []

    @property
    def is_learned(self) -> bool:
        """Whether the last step was taken on a batch that was known."""
        return self.losses[-1] < ENOUGH and self.accuracies[-1] == 1

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        self.losses.append(logs["loss"])
        self.accuracies.append(logs.get("accuracy", 1.0))  # of numbers the loss alone tells
        if self.is_learned:
            self.model.stop_training = True


def plain(config: Any) -> Any:
    """Return a configuration without all that keeps a network from learning by heart."""
    import msgspec

    return msgspec.structs.replace(config, augment=None, label_smoothing=0.0, l2=0.0, dropout=0.0, ema=0.0)


def overfit_batch(console: Any, prepared: Any) -> dict[str, Any]:
    """Train on one batch alone, and tell whether it is learned; nothing is written.

    Raises
    ------
    DivergedError
        If it is not.
    """
    config = plain(prepared.config)
    learner = prepared.learner(config)
    train = prepared.parts["train"]
    batch = limited(train, images_of_step(config, train), config.seed)
    heard, begin = UntilLearned(), time.perf_counter()
    with Compiling(console, "training"):
        learner.model.fit(learner.images(batch.x), learner.task.targets(batch.y), batch_size=len(batch.y), epochs=MOST,
                          verbose=0, callbacks=[heard])  # fmt: skip
    size = len(batch.y)
    first, last, accuracy = heard.losses[0], heard.losses[-1], heard.accuracies[-1]
    if not heard.is_learned:
        of_accuracy = "" if prepared.data.task == "regression" else f" and an accuracy of {accuracy:.4f}"
        raise DivergedError(
            f"--overfit-batch: expected {size} images to be learned by heart within {MOST} steps, got a loss of "
            f"{last:.4g} ({first:.4g} at first){of_accuracy} at a learning rate of "
            f"{config.learning_rate:g}; try another --lr, a larger network, or look at the labels"
        )
    console.print(f"{size} images are learned by heart after {len(heard.losses)} steps, "
                  f"{time.perf_counter() - begin:.1f} s: loss {first:.4g}, at the end {last:.4g}; nothing was written")
    return {"images": size, "steps": len(heard.losses), "first_loss": first, "loss": last}
