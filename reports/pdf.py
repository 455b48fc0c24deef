"""The document as an A4 PDF: drawings as vectors, words searchable."""

from reports.charts import Drawings
from reports.document import Document
from reports.html import render


def pdf(document: Document, drawings: Drawings | None = None) -> bytes:
    """The PDF file's content."""
    import weasyprint

    html, _ = render(document, "print", drawings)
    content: bytes = weasyprint.HTML(string=html, base_url="about:blank", url_fetcher=_no_fetching).write_pdf()
    return content


def _no_fetching(url: str, *_: object, **__: object) -> dict[str, object]:
    """A report carries everything it shows: nothing is fetched from files or from a network."""
    raise ValueError(f"a report may not load {url}")
