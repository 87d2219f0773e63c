"""Keras's older names, `keras.backend`, and what the configuration tells beside them."""

import pytest

import fastcnn as fc
from fastcnn import backend, layers


def test_names_are_those_of_the_configuration():
    assert (backend.epsilon(), backend.floatx(), backend.image_data_format()) == (1e-7, "float32", "channels_last")
    assert backend.set_floatx is fc.config.set_floatx
    layers.Dense(1)
    backend.clear_session()
    assert layers.Dense(1).name == "dense"


def test_tracebacks_are_whole_and_may_be_asked_to_be_so():
    fc.config.disable_traceback_filtering()
    assert not fc.config.is_traceback_filtering_enabled()
    with pytest.raises(AttributeError, match="tracebacks are whole"):
        fc.config.enable_traceback_filtering()
