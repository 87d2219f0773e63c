"""Which columns of a table are learned and which are features: as flags say it, or as a model was trained."""

from typing import Any

from fastcnn.datasets import Dataset
from fastcnn.datasets._columns import TableColumns
from fastcnn.errors import ArgumentError, ModelFileError

_KEY = "columns"


def columns_asked(given: dict[str, Any], metadata: dict[str, Any] | None = None) -> TableColumns:
    """Return the columns that a command was asked for.

    Parameters
    ----------
    given : dict
        Its options: label, ignore, loss and group_by, if it has them.
    metadata : dict or None
        Of the model that decides it, if there is one.

    Raises
    ------
    ArgumentError
        Columns beside a model that decides them.
    """
    found = None if metadata is None else columns_in(metadata)
    if found is not None:
        named = next((name for name in ("label", "ignore") if given.get(name)), None)
        if named is not None:
            raise ArgumentError(f"--{named}: expected none, as the model was trained on columns of its own; leave it "
                                "out")  # fmt: skip
        return found._replace(group=given.get("group_by"))
    loss = given.get("loss")
    return TableColumns(tuple(given.get("label") or ()), tuple(given.get("ignore") or ()),
                        None if loss is None else loss != "crossentropy", given.get("group_by"))  # fmt: skip


def columns_in(metadata: dict[str, Any]) -> TableColumns | None:
    """Return what a model's file says of columns; None of one that was trained on no table.

    Raises
    ------
    ModelFileError
        If it is damaged.
    """
    found = metadata.get(_KEY)
    if found is None:
        return None
    try:
        return TableColumns(tuple(map(str, found["labels"])), (), bool(found["regression"]), None,
                            tuple(map(str, found["features"])))  # fmt: skip
    except (KeyError, TypeError) as error:
        raise ModelFileError(f"columns: expected what fastcnn train writes into a model, got {found!r}") from error


def columns_known(data: Dataset, asked: Any) -> dict[str, Any]:
    """Return what a model's file says of the columns it was trained on; nothing of other data than tables.

    Parameters
    ----------
    data : Dataset
    asked : sequence of str or None
        The columns that were named as labels.
    """
    if data.origin.table is None:
        return {}
    labels = list(asked or ()) if data.task == "classification" else list(data.outputs)
    return {_KEY: {"labels": labels, "features": list(data.features), "regression": data.task == "regression"}}


def require_a_table(columns: TableColumns, dataset: str) -> None:
    """Raise ArgumentError where columns were asked for, and there is no table."""
    named = next((f"--{name}" for name, value in (("label", columns.labels), ("ignore", columns.ignore),
                                                  ("loss", columns.regression)) if value), None)  # fmt: skip
    if named is not None:
        raise ArgumentError(f"{named}: expected a table, a .csv file, as the data set, got {dataset}; leave it out")


