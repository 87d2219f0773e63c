"""One of several classes: softmax and cross-entropy."""

from typing import Any

from numpy.typing import NDArray

from fastcnn.cli._report import Report, as_probabilities, measure


class Classification:
    """Each example has one class.

    Parameters
    ----------
    classes : int
    label_smoothing : float
    has_mixtures : bool
        Whether images are mixed, and labels with them.
    """

    activation: str | None = "softmax"

    def __init__(self, classes: int, label_smoothing: float = 0.0, has_mixtures: bool = False) -> None:
        self.classes, self.label_smoothing = classes, label_smoothing
        self._has_rows = label_smoothing > 0 or has_mixtures  # targets are distributions over the classes

    def compiled(self) -> dict[str, Any]:
        from fastcnn.losses import CategoricalCrossentropy

        loss = CategoricalCrossentropy(label_smoothing=self.label_smoothing) if self._has_rows else (
            "sparse_categorical_crossentropy")  # fmt: skip
        return {"loss": loss, "metrics": ["accuracy"]}

    def targets(self, y: NDArray[Any]) -> NDArray[Any]:
        from fastcnn.utils import to_categorical

        return to_categorical(y, self.classes) if self._has_rows else y

    def trained(self, model: Any) -> Any:
        return model

    def finished(self, model: Any) -> Any:
        return model

    def measure(self, outputs: NDArray[Any], y: NDArray[Any]) -> Report:
        return measure(as_probabilities(outputs), y)
