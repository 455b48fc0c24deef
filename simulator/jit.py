"""Compiled functions: numba, kept on disk between runs, free of the interpreter's lock.

Every function names its types: left to infer them, numba compiles a copy for each constant that it is called with, and
the first run takes several times as long.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

#: A 64-bit whole number inside compiled code, where Python's and numpy's are one.
Whole = Any
F = TypeVar("F", bound=Callable[..., Any])


def compiled(signature: str) -> Callable[[F], F]:
    """Compile for `signature` (numba's spelling), or load the machine code of an earlier run from the disk."""

    def decorate(function: F) -> F:
        made = numba.njit(signature, cache=True, nogil=True, no_cfunc_wrapper=True)(function)
        return cast(F, made)

    return decorate
