"""How many threads a fit uses: two small fits side by side on two cores otherwise run many times slower."""

from contextlib import AbstractContextManager, nullcontext

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # has no types

#: Cells (rows × columns) below which a second thread gains nothing.
_SMALL = 5_000_000


def threads_for(rows: int, columns: int) -> AbstractContextManager[object]:
    """A context in which linear algebra and tree building use one thread if the table is small."""
    return threadpool_limits(limits=1) if rows * max(columns, 1) < _SMALL else nullcontext()


def one_thread() -> AbstractContextManager[object]:
    """A context of one thread, for scoring in chunks: each tree of a chunk would wait for the slower core."""
    context: AbstractContextManager[object] = threadpool_limits(limits=1)
    return context
