"""Progress on standard error while rows stream."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextmanager
def row_counter() -> Iterator[Callable[[str, int], None]]:
    """Show a running count of rows; the function given takes (table, rows more)."""
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} rows · {task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("starting", total=None)
        yield lambda table, rows: progress.update(task, advance=rows, description=table)
