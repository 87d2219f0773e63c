"""Vector instructions: spelled once."""

import re
from pathlib import Path

from fastcnn.kernels import cpu

SPELLED = re.compile(r"llvm\.(fmuladd|masked|prefetch)|insert_element|shuffle_vector|\b(Float|Double)Type\(\)")


def test_one_file_spells_vector_instructions_and_the_types_of_numbers():
    folder = Path(cpu.__file__).parent
    found = {str(path.relative_to(folder)) for path in folder.rglob("*.py") if SPELLED.search(path.read_text())}
    assert found == {"simd/vectors.py"}
