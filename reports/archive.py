"""Write a report in every form into the archive."""

from dataclasses import dataclass
from pathlib import Path

from core.files import write_atomically
from core.i18n import texts
from core.report_archive import Archived, folder, keep
from core.settings import Settings
from reports.charts import Drawings
from reports.document import Document
from reports.html import Picture, render
from reports.pdf import pdf
from reports.workbook import workbook


@dataclass(frozen=True)
class Written:
    """A report as it is sent: its files, and the e-mail's HTML with its pictures."""

    entry: Archived
    mail: str
    pictures: list[Picture]


def write(document: Document, settings: Settings | None = None, into: Path | None = None) -> Written:
    """Write a report in every form; the same report of a later run replaces it.

    Args:
        document: the report.
        settings: of the installation.
        into: another folder than the archive's.
    """
    place = into or folder(settings) / document.period.kind / document.period.key
    place.mkdir(parents=True, exist_ok=True)
    drawings = Drawings(texts("reports", document.language))
    page, _ = render(document, "page", drawings)
    mail, pictures = render(document, "mail", drawings)
    for form, content in (("html", page.encode()), ("pdf", pdf(document, drawings)), ("xlsx", workbook(document))):
        write_atomically(place / f"{document.name}.{form}", content)
    entry = Archived(
        name=document.name,
        kind=document.period.kind,
        period=document.period.key,
        city_code=document.city_code,
        language=document.language,
        title=document.title,
        run_id=document.run_id,
        written_at=document.written_at,
        words=" ".join([document.title, *document.summary, *_said(document)]),
        folder=place,
    )
    keep(entry)
    return Written(entry, mail, pictures)


def _said(document: Document) -> list[str]:
    return [
        *(sentence for section in document.sections for sentence in section.sentences),
        *(str(row[0]) for section in document.sections for row in section.rows if isinstance(row[0], str)),
    ]
