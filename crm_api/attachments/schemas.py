"""Bodies of the attachment routes."""

from datetime import datetime

from pydantic import Field

from crm_api.web.schemas import Out


class AttachmentOut(Out):
    """A file of a ticket or a contact."""

    id: int
    ticket_id: int | None
    contact_id: int | None
    name: str = Field(examples=["机顶盒.jpg"])
    media_type: str = Field(description="What the content is", examples=["image/jpeg"])
    size_bytes: int
    sha256: str
    uploaded_by: str
    created_at: datetime
