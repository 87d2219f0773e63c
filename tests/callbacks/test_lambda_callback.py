"""LambdaCallback: hooks that are functions."""

import pytest

from fastcnn.callbacks import LambdaCallback
from fastcnn.errors import ArgumentError, UnknownArgumentError
from tests.callbacks.models import X, model


def test_functions_are_hooks():
    seen = []
    hooks = {name: (lambda *given, name=name: seen.append(name)) for name in (
        "on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_gradients", "on_train_batch_end",
        "on_test_begin", "on_test_batch_end", "on_epoch_end", "on_train_end")}
    model().fit(X, X, verbose=0, validation_data=(X, X), callbacks=LambdaCallback(**hooks))
    assert seen == list(hooks)
    LambdaCallback(on_epoch_end=None).on_epoch_end(0, {})


def test_what_is_no_hook_or_no_function_is_refused():
    with pytest.raises(UnknownArgumentError, match="hook: 'on_epoch_over' is not known; did you mean 'on_epoch_"):
        LambdaCallback(on_epoch_over=print)
    with pytest.raises(ArgumentError, match="expected on_epoch_end to be a function, got 3"):
        LambdaCallback(on_epoch_end=3)
