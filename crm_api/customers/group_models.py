"""Groups of customers: an organisation that holds several customer numbers, and who belongs to it from when to when."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import Base, Captured, ordered

_PRESENT = text("left_at IS NULL AND deleted_at IS NULL")


class CustomerGroup(Captured, Base):
    """A hotel chain, a housing company, a university: one client, several customer numbers."""

    __tablename__ = "customer_groups"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(200), doc="What the house calls the group; never a person's name")
    unit_id: Mapped[int] = mapped_column(ForeignKey("org_units.id"), index=True, doc="The unit that looks after it")
    manager_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    is_active: Mapped[bool] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CustomerGroupMember(Captured, Base):
    """A customer's stay in a group; a customer may be in several at once, and come back."""

    __tablename__ = "customer_group_members"
    __table_args__ = (
        ordered("joined_at", "left_at"),
        Index(
            "uq_customer_group_members_present",
            "group_id",
            "customer_id",
            unique=True,
            postgresql_where=_PRESENT,
            sqlite_where=_PRESENT,
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("customer_groups.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
