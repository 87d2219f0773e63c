"""Switches of the whole process: what fastcnn may do to be faster, each of which can be turned off.

================  ======================  ==============================================================================
switch            environment             what it allows
================  ======================  ==============================================================================
``fusion``        ``FASTCNN_FUSION=0``    models run layers that follow one another in one pass; sums are added in
                                          another order, so results agree to rounding
``winograd``      ``FASTCNN_WINOGRAD=0``  3x3 and 5x5 convolutions of float32 by F(4x4, 3x3) and F(2x2, 5x5) where that
                                          is faster: errors of at most 4e-6 of the largest output, and other last bits.
                                          Never in float64
``tf32``          ``FASTCNN_TF32=1``      on a card, products of convolutions and dense layers on tensor cores, which
                                          round their numbers to 10 bits of mantissa: errors of about 1e-3. Off unless
                                          it is asked for
================  ======================  ==============================================================================

Which algorithm is faster is told by a table of rates, that of this kind of CPU unless another is asked for
(``FASTCNN_ALGORITHM_CHOICE``, `set_algorithm_choice`).

``config.fusion()`` tells how a switch stands and ``config.set_fusion(False)`` sets it, from the next call on.

``config.device()`` tells where new models live, and ``config.set_device("cuda")`` or ``FASTCNN_DEVICE`` sets it.

``config.dtype_policy()`` and ``config.floatx()`` tell which type layers have that are told none.
"""

from typing import TYPE_CHECKING, Any

from fastcnn import _hooks, algorithm_tables, unsupported
from fastcnn.errors import ArgumentError, unknown
from fastcnn.switches import CHOICES, switch
from fastcnn.switches import state as state
from fastcnn.switches import switches as switches


def fusion() -> bool:
    """Return whether models may run several layers in one pass."""
    return switches.fusion


def set_fusion(on: bool) -> None:
    """Allow or forbid that models run several layers in one pass.

    Parameters
    ----------
    on : bool

    Examples
    --------
    >>> fc.config.set_fusion(False)
    >>> fc.config.fusion()
    False
    >>> fc.config.set_fusion(True)
    """
    switch("fusion", bool(on))


def tf32() -> bool:
    """Return whether a card may multiply on tensor cores, in TF32."""
    found: bool = switches.tf32
    return found


def set_tf32(on: bool) -> None:
    """Allow or forbid that a card multiplies in TF32: float32 in memory, numbers of 10 bits of mantissa multiplied.

    Parameters
    ----------
    on : bool

    Examples
    --------
    >>> fc.config.set_tf32(True)
    >>> fc.config.tf32()
    True
    >>> fc.config.set_tf32(False)
    """
    switch("tf32", bool(on))


def winograd() -> bool:
    """Return whether 3x3 and 5x5 convolutions may take Winograd's algorithm."""
    return switches.winograd


def set_winograd(on: bool) -> None:
    """Allow or forbid Winograd's algorithm.

    Parameters
    ----------
    on : bool

    Examples
    --------
    >>> fc.config.set_winograd(False)
    >>> fc.config.winograd()
    False
    >>> fc.config.set_winograd(True)
    """
    switch("winograd", bool(on))


def algorithm_choice() -> str:
    """Return how algorithms are chosen: "table", "measured", or the name of a table.

    Examples
    --------
    >>> fc.config.algorithm_choice()
    'table'
    """
    choice: str = switches.algorithm_choice
    return choice


def set_algorithm_choice(choice: str) -> None:
    """Set how the algorithm of a convolution is chosen where there are several. It holds from the next call on.

    Another algorithm is another rounding. The table is that of the kind of CPU, so a seed is the same model on all
    machines of one kind. To have the same model on another kind, name the table.

    Parameters
    ----------
    choice : str
        "table": the rates of this kind of CPU; the name of a table: "general", "avx512-intel"; "measured": each size of
        a convolution is timed when it first comes, so that bits may differ from run to run.

    Raises
    ------
    ArgumentError
        If there is no such choice.

    Examples
    --------
    >>> fc.config.set_algorithm_choice("general")
    >>> fc.config.algorithm_table()
    'general'
    >>> fc.config.set_algorithm_choice("table")
    """
    if choice not in CHOICES:
        raise ArgumentError(unknown("set_algorithm_choice: choice", choice, CHOICES))
    switch("algorithm_choice", choice)


def algorithm_table() -> str:
    """Return what algorithms are chosen by on this machine: the name of a table, or "measured".

    Examples
    --------
    >>> fc.config.algorithm_table() in ("general", "avx512-intel")
    True
    """
    choice = algorithm_choice()
    return algorithm_tables.of_machine() if choice == "table" else choice


def dtype_policy() -> Any:
    """Return the `fastcnn.DTypePolicy` of layers that are given no dtype.

    Examples
    --------
    >>> fc.config.dtype_policy().name
    'float32'
    """
    from fastcnn import dtype_policies

    return dtype_policies.dtype_policy()


def set_dtype_policy(policy: Any) -> None:
    """Set the dtype policy of layers that are given none.

    Parameters
    ----------
    policy : str or DTypePolicy
        "float32", "float64" or "mixed_bfloat16".

    Examples
    --------
    >>> fc.config.set_dtype_policy("float64")
    >>> layers.Dense(10).compute_dtype
    dtype('float64')
    >>> fc.config.set_dtype_policy("float32")
    """
    from fastcnn import dtype_policies

    dtype_policies.set_dtype_policy(policy)


def floatx() -> str:
    """Return the type of layers that are given neither a dtype nor a policy: "float32" unless it was set.

    Examples
    --------
    >>> fc.config.floatx()
    'float32'
    """
    from fastcnn import dtype_policies

    return dtype_policies.floatx()


def set_floatx(value: str) -> None:
    """Set the type of layers that are given neither a dtype nor a policy.

    Parameters
    ----------
    value : str
        "float32" or "float64".

    Examples
    --------
    >>> fc.config.set_floatx("float32")
    """
    from fastcnn import dtype_policies

    dtype_policies.set_floatx(value)


def device() -> str:
    """Return where new models live: "cpu" unless `set_device` or FASTCNN_DEVICE said another.

    Examples
    --------
    >>> fc.config.device()
    'cpu'
    """
    name: str = _hooks.hooks["device"]()
    return name


def set_device(name: str) -> None:
    """Make models on a device from now on; those that are there stay where they are (`fastcnn.Model.to` moves one).

    Parameters
    ----------
    name : str
        "cpu", "cuda" or "cuda:0".

    Raises
    ------
    ArgumentError, DeviceError
        If it is no name of a device, or the device is not there or cannot be used.

    Examples
    --------
    >>> fc.config.set_device("cpu")
    """
    _hooks.hooks["set_device"](name)


def epsilon() -> float:
    """Return the small number that losses and metrics keep logarithms and quotients away from zero with: 1e-7.

    Examples
    --------
    >>> fc.config.epsilon()
    1e-07
    """
    return 1e-7


def image_data_format() -> str:
    """Return how images lie: "channels_last", (N, H, W, C).

    Examples
    --------
    >>> fc.config.image_data_format()
    'channels_last'
    """
    return "channels_last"


def is_traceback_filtering_enabled() -> bool:
    """Return whether tracebacks leave out lines of the package: never.

    Examples
    --------
    >>> fc.config.is_traceback_filtering_enabled()
    False
    """
    return False


def disable_traceback_filtering() -> None:
    """Leave tracebacks whole, as they are.

    Examples
    --------
    >>> fc.config.disable_traceback_filtering()
    """


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("config")
