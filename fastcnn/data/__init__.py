"""Data before it is trained on: parts for training and testing, and what is wrong with pictures.

``fastcnn.data.split`` deals examples out to parts, `folds` to equal ones for cross-validation. `RaggedRows` are targets
of unequal number a picture.
"""

from fastcnn.data.ragged_rows import RaggedRows as RaggedRows
from fastcnn.data.splitting import PARTS as PARTS
from fastcnn.data.splitting import folds as folds
from fastcnn.data.splitting import share_for as share_for
from fastcnn.data.splitting import split as split
from fastcnn.unsupported import names_of

__all__ = ["PARTS", "RaggedRows", "folds", "share_for", "split"]
__getattr__ = names_of("data")
