"""Several callbacks as one."""

from collections.abc import Collection
from typing import Any

from fastcnn.callbacks.callback import Callback
from fastcnn.parameter_blocks import Segment


class CallbackList(Callback):
    """Several callbacks as one.

    Parameters
    ----------
    callbacks : list of Callback
    model : Model
    params : dict
        Each of them gets both.

    Examples
    --------
    >>> history = fc.callbacks.History()
    >>> several = fc.callbacks.CallbackList([history], model=None, params={})
    >>> several.on_epoch_end(0, {"loss": 0.5})
    >>> history.history
    {'loss': [0.5]}
    """

    def __init__(self, callbacks: list[Callback], model: Any, params: dict[str, Any]) -> None:
        self.callbacks = callbacks
        for callback in callbacks:
            callback.set_model(model)
            callback.set_params(params)

    def check(self, names: Collection[str]) -> None:
        """Raise if one of them has something against this training."""
        known = dict.fromkeys([*names, *(name for callback in self.callbacks for name in callback.reports)])
        for callback in self.callbacks:
            callback.check(list(known))

    def on_train_interrupted(self, error: BaseException) -> None:
        """Let all of them end; what goes wrong there is a note of the error, which is what is to be told."""
        for callback in self.callbacks:
            try:
                callback.on_train_interrupted(error)
            except Exception as other:
                error.add_note(f"{type(callback).__name__}: {other}")

    def on_gradients(self, segments: list[Segment]) -> bool:
        """Let all of them look, and return whether nobody is against the step."""
        answers = [callback.on_gradients(segments) for callback in self.callbacks]
        return not any(answer is False for answer in answers)

    def listens(self, hook: str) -> bool:
        """Return whether one of them does something in a hook."""
        return any(hook in vars(callback) or getattr(type(callback), hook) is not getattr(Callback, hook)
                   for callback in self.callbacks)


def _to_each(hook: str) -> Any:
    def call(self: CallbackList, *given: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*given)

    return call


for _hook in [name for name in vars(Callback) if name.startswith("on_") and name not in vars(CallbackList)]:
    setattr(CallbackList, _hook, _to_each(_hook))
