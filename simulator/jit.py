"""Compiled functions: numba, kept on disk between runs, free of the interpreter's lock."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

#: A 64-bit whole number inside compiled code, where Python's and numpy's are one.
Whole = Any
F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile `function` on its first call; later processes load the machine code from the disk."""
    return cast(F, numba.njit(cache=True, nogil=True)(function))
