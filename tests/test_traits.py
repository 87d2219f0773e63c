"""What a class promises to rules of fusion holds for a class that derives from it only where it changes nothing."""

from dataclasses import dataclass

import pytest

from fastcnn import layers, traits
from fastcnn.activations import get
from fastcnn.layers import Layer
from fastcnn.traits import NONE, Trait


class Mixin:
    def predict(self, x):
        return x


class Checking(Layer):
    def checked(self, x):
        return x


class Renamed(layers.Conv2D):
    """Other defaults and another configuration, the same work."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, padding="same", **kwargs)

    def get_config(self):
        return super().get_config()


class Forward(layers.Conv2D):
    def forward(self, x, call=layers.Call()):
        return super().forward(x, call)


class Before(Mixin, layers.Conv2D):
    pass


class After(layers.Conv2D, Mixin):
    pass


class Between(layers.Conv2D, Checking):
    """Its forward is Conv2D's, but what that asks is another's."""


class Computed(layers.Conv2D):
    @property
    def kernel(self):
        return None


class Constant(layers.Conv2D):
    rank = 2


class Later(Forward):
    pass


class Intercepting(layers.Conv2D):
    def __setattr__(self, name, value):
        super().__setattr__(name, value)


class Declared(Forward):
    traits = layers.Conv2D.traits


@pytest.mark.parametrize("cls", [Renamed, After, Declared])
def test_a_class_that_changes_nothing_or_says_so_keeps_what_it_derives_from_promised(cls):
    assert cls.traits == layers.Conv2D.traits
    assert Trait.CONV2D in cls.traits


@pytest.mark.parametrize("cls", [Forward, Before, Between, Computed, Constant, Later, Intercepting])
def test_a_class_that_changes_something_promises_nothing(cls):
    assert cls.traits is NONE


def test_a_function_that_is_derived_from_one_of_fastcnns_promises_nothing():
    relu = get("relu")

    @dataclass(frozen=True)
    class Doubled(type(relu)):
        def predict(self, x, in_place=False):
            return 2 * super().predict(x)

    assert traits.of(relu) is Trait.BY_CODE
    assert traits.of(Doubled("relu", relu.code)) is NONE
    assert traits.of(lambda x: x) is NONE


def test_what_is_no_trait_promises_nothing():
    class Odd(Layer):
        traits = "CONV2D"

    assert traits.of(Odd()) is NONE
    assert traits.of(None) is NONE
