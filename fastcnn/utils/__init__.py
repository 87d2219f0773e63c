"""Small helpers, with Keras's names."""

from typing import TYPE_CHECKING, Any

from fastcnn import unsupported
from fastcnn.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from fastcnn.utils.downloads import get_file
from fastcnn.utils.image_folder import ImageDataset, image_dataset_from_directory
from fastcnn.utils.labels_and_rows import normalize, split_dataset, to_categorical
from fastcnn.utils.loading import PyDataset, Sequence, pack_x_y_sample_weight, prefetch, unpack_x_y_sample_weight
from fastcnn.utils.pictures import array_to_img, img_to_array, load_img, save_img
from fastcnn.utils.progress_bar import Progbar
from fastcnn.utils.session import clear_session, set_random_seed

__all__ = ["CustomObjectScope", "ImageDataset", "Progbar", "PyDataset", "Sequence", "array_to_img", "clear_session",
           "custom_object_scope", "get_custom_objects", "get_file", "get_registered_name", "get_registered_object",
           "image_dataset_from_directory", "img_to_array", "is_keras_tensor", "load_img", "normalize",
           "pack_x_y_sample_weight", "plot_model", "prefetch", "register_keras_serializable", "save_img",
           "set_random_seed", "split_dataset", "to_categorical", "unpack_x_y_sample_weight"]


def plot_model(model: Any, to_file: Any = "model.svg", **shown: Any) -> Any:
    """Draw a built model and write it as SVG; Graphviz is not needed.

    Parameters
    ----------
    model : Model
    to_file : path-like
        Ends in ``.svg``; for another picture, such as ``.png``, the SVG is written beside it, with a warning.
    **shown
        As Keras's: show_shapes, show_dtype, show_layer_names, expand_nested, show_layer_activations, show_trainable
        (`fastcnn.models.plot.plot_model` tells them all).

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((8,)), layers.Dense(1)])
    >>> picture = fc.utils.plot_model(model, "model.svg")
    """
    from fastcnn.models import plot

    return plot.plot_model(model, to_file, **shown)


def is_keras_tensor(x: Any) -> bool:
    """Return whether something is a symbolic tensor, as `Input` and layers return them.

    Parameters
    ----------
    x : object

    Examples
    --------
    >>> fc.utils.is_keras_tensor(fc.Input((2,))), fc.utils.is_keras_tensor(np.ones(2))
    (True, False)
    """
    from fastcnn.symbolic import Tensor

    return isinstance(x, Tensor)


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("utils")
