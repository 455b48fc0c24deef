"""How far a build is, on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager

from warehouse.build import Progress


@contextmanager
def build_progress() -> Iterator[Progress]:
    """A bar that a build moves; nothing where stderr is not a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:40.40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("dbt")

        def progress(name: str, index: int, total: int) -> None:
            bar.update(task, description=name, completed=index, total=total)

        yield progress
