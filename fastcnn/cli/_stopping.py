"""Early stopping as ``--patience`` asks for it."""

from typing import Any

from fastcnn.callbacks import EarlyStopping, Logs


class Patience(EarlyStopping):
    """Ends training when the loss on dev has not improved for some epochs; the best epoch's weights come back.

    Parameters
    ----------
    patience : int
    tell : function of a str
        Hears of it when training is over.
    """

    def __init__(self, patience: int, tell: Any) -> None:
        super().__init__("val_loss", patience=patience, restore_best_weights=True)
        self._tell = tell

    def on_train_end(self, logs: Logs) -> None:
        super().on_train_end(logs)
        if self.stopped_epoch:
            self._tell(f"stopped early after epoch {self.stopped_epoch + 1}: the loss on dev is no better for "
                       f"{self.patience} epochs")  # fmt: skip
        if self.best is not None:
            self._tell(f"kept   the weights of epoch {self.best_epoch + 1}, whose loss on dev is the least, "
                       f"{self.best:.4f}")  # fmt: skip
