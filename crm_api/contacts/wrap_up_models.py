"""What came of a contact, in two levels; and the queues whose contacts must be given a code."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.database import UtcDateTime
from crm_api.base import Base, Captured


class WrapUpCode(Captured, Base):
    """A result: level 1 groups, level 2 is what an agent chooses; the code is the dotted path."""

    __tablename__ = "wrap_up_codes"
    __table_args__ = (
        CheckConstraint("level BETWEEN 1 AND 2", name="level_1_to_2"),
        CheckConstraint("(level = 1) = (parent_code IS NULL)", name="only_level_1_has_no_parent"),
    )

    code: Mapped[str] = mapped_column(String(80), primary_key=True)
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("wrap_up_codes.code"))
    level: Mapped[int]
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    is_active: Mapped[bool] = mapped_column(server_default="1")
    sort_order: Mapped[int] = mapped_column(server_default="0")


class ContactWrapUp(Captured, Base):
    """The code of one contact, as last chosen."""

    __tablename__ = "contact_wrap_ups"

    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"), primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(ForeignKey("wrap_up_codes.code"), index=True)
    chosen_by: Mapped[str] = mapped_column(String(60))
    chosen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class QueueWrapUp(Base):
    """Whether contacts that waited in a queue must be given a code; a queue without a row asks for none."""

    __tablename__ = "queue_wrap_ups"

    queue_id: Mapped[int] = mapped_column(ForeignKey("queues.id"), primary_key=True, autoincrement=False)
    is_required: Mapped[bool]
    changed_by: Mapped[str] = mapped_column(String(60))
