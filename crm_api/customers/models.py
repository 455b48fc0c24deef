"""Customers: identity, phones, addresses, accounts, subscriptions, consents."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import PERSONAL, Base, Captured, one_of, ordered

CUSTOMER_KINDS = ("person", "organisation")
KEY_LEVELS = ("none", "silver", "gold", "platinum")
CUSTOMER_STATUSES = ("active", "left", "deceased")
LEAVE_REASONS = ("service", "price", "competitor", "moved", "deceased", "unpaid", "other")
PHONE_KINDS = ("mobile", "landline", "fax")
ACCOUNT_STATUSES = ("active", "suspended", "closed")
CONSENT_PURPOSES = ("service", "marketing", "survey", "profiling")
CONSENT_CHANNELS = ("voice", "sms", "email", "letter")
#: Text whose index serves prefixes, whatever the database's collation.
Ordered = String(400).with_variant(String(400, collation="C"), "postgresql")


class Product(Captured, Base):
    """A product line: cable TV, digital TV, private network, broadband."""

    __tablename__ = "products"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    sort_order: Mapped[int] = mapped_column(server_default="0")


class Customer(Captured, Base):
    """A person or organisation that the network serves."""

    __tablename__ = "customers"
    __table_args__ = (
        one_of("kind", CUSTOMER_KINDS),
        one_of("key_level", KEY_LEVELS),
        one_of("status", CUSTOMER_STATUSES),
        one_of("leave_reason", LEAVE_REASONS),
        ordered("registered_at", "left_at"),
        CheckConstraint("(status = 'active') = (left_at IS NULL)", name="left_has_a_time"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True, doc="Customer number; foreign ones are prefixed")
    kind: Mapped[str] = mapped_column(String(12))
    key_level: Mapped[str] = mapped_column(String(12), server_default="none")
    status: Mapped[str] = mapped_column(String(12), server_default="active")
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("org_units.id"), index=True, doc="Its branch")
    township_id: Mapped[int | None] = mapped_column(ForeignKey("townships.id"), index=True)
    name: Mapped[str | None] = mapped_column(String(200), info=PERSONAL)
    identity_number: Mapped[str | None] = mapped_column(String(40), info=PERSONAL)
    birth_year: Mapped[int | None]
    registered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    leave_reason: Mapped[str | None] = mapped_column(String(20))
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))


class CustomerPhone(Captured, Base):
    """A number of a customer, in E.164."""

    __tablename__ = "customer_phones"
    __table_args__ = (
        UniqueConstraint("customer_id", "e164"),
        one_of("kind", PHONE_KINDS),
        CheckConstraint("e164 LIKE '+%'", name="e164"),
        Index("ix_customer_phones_e164", "e164"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    e164: Mapped[str] = mapped_column(String(20), info=PERSONAL)
    kind: Mapped[str] = mapped_column(String(12))
    is_primary: Mapped[bool] = mapped_column(server_default="0")
    do_not_call: Mapped[bool] = mapped_column(server_default="0")


class CustomerAddress(Captured, Base):
    """Where a customer is served, down to the township; the rest is free text."""

    __tablename__ = "customer_addresses"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    township_id: Mapped[int | None] = mapped_column(ForeignKey("townships.id"), index=True)
    detail: Mapped[str | None] = mapped_column(String(300), info=PERSONAL)
    is_primary: Mapped[bool] = mapped_column(server_default="0")


class Account(Captured, Base):
    """A billing account of a customer; money in fen."""

    __tablename__ = "accounts"
    __table_args__ = (one_of("status", ACCOUNT_STATUSES), ordered("opened_at", "closed_at"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    status: Mapped[str] = mapped_column(String(12), server_default="active")
    balance_fen: Mapped[int] = mapped_column(BigInteger, server_default="0")
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Subscription(Captured, Base):
    """A product that an account takes, from when to when, at which monthly fee (fen)."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        ordered("started_at", "ended_at"),
        CheckConstraint("monthly_fee_fen >= 0", name="fee_not_negative"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    product_code: Mapped[str] = mapped_column(ForeignKey("products.code"))
    smart_card: Mapped[str | None] = mapped_column(String(40), index=True)
    monthly_fee_fen: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(server_default="1", doc="Rooms or connection points")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(String(20))


class Consent(Captured, Base):
    """A customer's yes or no to one purpose over one channel, valid from a day; none means no."""

    __tablename__ = "consents"
    __table_args__ = (
        UniqueConstraint("customer_id", "channel", "purpose", "valid_from"),
        one_of("channel", CONSENT_CHANNELS),
        one_of("purpose", CONSENT_PURPOSES),
        ordered("valid_from", "valid_to"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    channel: Mapped[str] = mapped_column(String(12))
    purpose: Mapped[str] = mapped_column(String(20))
    granted: Mapped[bool]
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)


class CustomerEmail(Captured, Base):
    """An e-mail address of a customer, in lower case."""

    __tablename__ = "customer_emails"
    __table_args__ = (UniqueConstraint("customer_id", "address"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    address: Mapped[str] = mapped_column(String(200), index=True, info=PERSONAL)
    is_primary: Mapped[bool] = mapped_column(server_default="0")


class CustomerManager(Base):
    """The account manager of a key customer."""

    __tablename__ = "customer_managers"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)


class CustomerSearchKey(Base):
    """What a customer is searched by; derived by `customers.search_keys.refresh`, stale where versions differ.

    A table of its own: filling it neither touches captured rows (which would send them to the lake again) nor slows a
    bulk load of customers.
    """

    __tablename__ = "customer_search_keys"
    #: Key customers are asked for separately: of a common name they are few among very many.
    __table_args__ = tuple(
        Index(
            f"ix_customer_search_keys_key_{column}",
            column,
            postgresql_where=text("key_rank > 0"),
            sqlite_where=text("key_rank > 0"),
        )
        for column in ("name", "initials", "pinyin")
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), primary_key=True, autoincrement=False)
    source_version: Mapped[int] = mapped_column(BigInteger, doc="Highest row_version that the keys were made from")
    unit_id: Mapped[int | None] = mapped_column(BigInteger)
    key_rank: Mapped[int] = mapped_column(doc="0 no key customer … 3 platinum")
    name: Mapped[str] = mapped_column(Ordered, index=True, doc="Lower case, without blanks")
    initials: Mapped[str] = mapped_column(Ordered, index=True, doc="First letters of the name's pinyin: 张伟 is zw")
    pinyin: Mapped[str] = mapped_column(Ordered, index=True, doc="The name's pinyin without tones: zhangwei")
    address: Mapped[str] = mapped_column(Text, doc="Township and detail of every address")


class CustomerMerge(Base):
    """One merge of a customer into another: what moved, so that it can be undone."""

    __tablename__ = "customer_merges"
    __table_args__ = (
        CheckConstraint("survivor_id <> merged_id", name="two_customers"),
        ordered("merged_at", "undone_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    survivor_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    merged_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    merged_at: Mapped[datetime] = mapped_column(UtcDateTime)
    merged_by: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(String(300))
    moved: Mapped[str] = mapped_column(Text, doc="JSON: table -> ids moved, and ids set aside")
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_by: Mapped[str | None] = mapped_column(String(60))
