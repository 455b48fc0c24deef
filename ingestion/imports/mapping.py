"""The mapping of one foreign file: its models, checked before a row is read (docs/import.md explains each key)."""

import re
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

Nothing = ("", "~", "null")
DurationUnit = Literal["seconds", "milliseconds", "minutes", "h:mm:ss"]
OnNegative = Literal["reject", "zero"]


class Strict(BaseModel):
    """A block of the mapping: a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return value


def _target(value: Any) -> Any:
    return None if value in Nothing else value


Regex = Annotated[str, AfterValidator(_pattern)]
#: What a field becomes; an empty one means: nothing.
Target = Annotated[str | None, BeforeValidator(_target)]


class Test(Strict):
    """A test of one column's text; every part given must hold."""

    one_of: list[str] | None = None
    none_of: list[str] | None = None
    matches: Regex | None = None
    is_empty: bool | None = None
    above: float | None = None
    below: float | None = None
    at_least: float | None = None
    at_most: float | None = None


def _as_test(value: Any) -> Any:
    if isinstance(value, str):
        return {"one_of": [value]}
    return {"one_of": value} if isinstance(value, list) else value


#: Column → test; all must hold. A text or a list stands for `one_of`.
Condition = dict[str, Annotated[Test, BeforeValidator(_as_test)]]


class Rule(Strict):
    """`value` where `when` holds."""

    when: Condition = Field(min_length=1)
    value: Target


class Pattern(Strict):
    """`value` where the text matches the regular expression anywhere, letter case ignored."""

    match: Regex
    value: Target


class Value(Strict):
    """Where a field's text comes from, and how it is translated."""

    column: str | None = None
    columns: list[str] | None = None
    separator: str = "-"
    constant: str | None = None
    rules: list[Rule] | None = None
    empty: list[str] = Field(default_factory=list, description="Texts that mean: nothing")
    values: dict[str, Target] | None = None
    ignore_case: bool = False
    patterns: list[Pattern] | None = None
    default: Target = Field(default=None, description="Where no value, pattern or rule fits; absent: reject the row")
    reason: str | None = Field(default=None, description="Reason of rejection where nothing fits")

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        given = [name for name in ("column", "columns", "constant", "rules") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"give exactly one of column, columns, constant, rules; here: {', '.join(given) or 'none'}"
            )
        if self.values is not None and self.patterns is not None:
            raise ValueError("give values or patterns, not both")
        if given[0] in ("constant", "rules") and (self.values is not None or self.patterns is not None):
            raise ValueError(f"values and patterns translate a column, not {given[0]}")
        return self

    @property
    def has_default(self) -> bool:
        """Whether a default was written (an empty one means: nothing)."""
        return "default" in self.model_fields_set

    @property
    def targets(self) -> set[str] | None:
        """Every text the field can become; None if the column's own text comes through."""
        if self.constant is not None:
            return {self.constant}
        found: list[str | None] = [self.default]
        if self.rules is not None:
            found += [rule.value for rule in self.rules]
        elif self.values is not None:
            found += self.values.values()
        elif self.patterns is not None:
            found += [pattern.value for pattern in self.patterns]
        else:
            return None
        return {value for value in found if value is not None}

    def columns_read(self) -> set[str]:
        """Columns of the file that this field needs."""
        conditions = [rule.when for rule in self.rules or ()]
        single = {self.column} if self.column is not None else set()
        return single | set(self.columns or ()) | {name for condition in conditions for name in condition}


def _as_value(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


#: A plain text stands for the column of that name.
Text = Annotated[Value, BeforeValidator(_as_value)]


def _time_format(value: str) -> str:
    if value not in ("iso", "epoch_seconds", "epoch_milliseconds") and "%" not in value:
        raise ValueError("is neither a format such as %d/%m/%Y nor one of iso, epoch_seconds, epoch_milliseconds")
    return value


TimeFormat = Annotated[str, AfterValidator(_time_format)]


class Settled(Strict):
    """Another column whose date decides which format fits."""

    column: str
    formats: list[TimeFormat] = Field(min_length=1)


class TimePart(Strict):
    """A column of dates, of times of day, or of both, and its formats, tried in order."""

    column: str
    formats: list[TimeFormat] = Field(default=["iso"], min_length=1)
    settled_by: Settled | None = None

    def columns_read(self) -> set[str]:
        """Columns of the file that this part needs."""
        return {self.column} | ({self.settled_by.column} if self.settled_by else set())


class ClockPart(Strict):
    """A column of times of day."""

    column: str
    formats: list[TimeFormat] = Field(default=["%H:%M:%S"], min_length=1)


class Instant(Strict):
    """A moment: one column, or a date and a time of day; a time of day alone falls on the day of `started_at`."""

    column: str | None = None
    formats: list[TimeFormat] = Field(default=["iso"], min_length=1)
    settled_by: Settled | None = None
    date: Annotated[TimePart | None, BeforeValidator(_as_value)] = None
    time: Annotated[ClockPart | None, BeforeValidator(_as_value)] = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.column is None) == (self.time is None):
            raise ValueError("give either column (a date with its time) or time (with or without date)")
        if self.column is not None and self.date is not None:
            raise ValueError("date goes with time, not with column")
        if self.settled_by is not None and self.column is None:
            raise ValueError("settled_by belongs inside date here")
        return self

    @property
    def is_time_of_day(self) -> bool:
        """Whether the day has to come from `started_at`."""
        return self.time is not None and self.date is None

    def columns_read(self) -> set[str]:
        """Columns of the file that this moment needs."""
        names = {self.column} if self.column is not None else set()
        names |= {self.time.column} if self.time else set()
        names |= self.date.columns_read() if self.date else set()
        return names | ({self.settled_by.column} if self.settled_by else set())


Moment = Annotated[Instant, BeforeValidator(_as_value)]


class Duration(Strict):
    """A column of lengths."""

    column: str
    unit: DurationUnit = "seconds"


Length = Annotated[Duration, BeforeValidator(_as_value)]


class Timing(Strict):
    """A stretch of a call, from any of its start, its end and its length; what is missing follows from the others."""

    start: Moment | None = None
    end: Moment | None = None
    seconds: Length | None = None
    absent: Condition | None = None
    negative: OnNegative = "reject"

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.end is None and self.seconds is None:
            raise ValueError("give end or seconds (start alone has no length)")
        return self

    def columns_read(self) -> set[str]:
        """Columns of the file that this stretch needs."""
        names = set(self.absent or ())
        for part in (self.start, self.end):
            names |= part.columns_read() if part else set()
        return names | ({self.seconds.column} if self.seconds else set())


class Reject(Strict):
    """Rows to refuse, and why."""

    when: Condition = Field(min_length=1)
    reason: str = Field(min_length=1, max_length=200)


class File(Strict):
    """How the file is written; what is not said is found out."""

    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    sheet: str | None = None


class NewServiceType(Strict):
    """A service type of the foreign centre, below one of ours."""

    code: str = Field(min_length=1, max_length=60)
    parent_code: str
    name_zh: str = Field(max_length=80)
    name_en: str = Field(max_length=80)
    sort_order: int = 1000


class NewQueue(Strict):
    """A queue of the foreign centre."""

    code: str = Field(min_length=1, max_length=60)
    name_zh: str = Field(max_length=80)
    name_en: str = Field(max_length=80)
    is_priority: bool = False
    target_seconds: int = Field(default=20, gt=0)
    calendar_code: str = "always"


class Reference(Strict):
    """Rows that the mapping needs in the store; those that are there stay as they are."""

    service_types: list[NewServiceType] = []
    queues: list[NewQueue] = []


class CallFields(Strict):
    """Fields of a call."""

    started_at: Moment
    ended_at: Moment | None = None
    seconds: Length | None = None
    channel: Text = Value(constant="voice")
    direction: Text | None = None
    outcome: Text
    exit_class: Text | None = None
    block_reason: Text | None = None
    service_type: Text | None = None
    product: Text | None = None
    unit: Text | None = None
    queue: Text | None = None
    agent: Text | None = None
    agent_name: Text | None = None
    customer: Text | None = None
    customer_level: Text | None = None
    caller: Text | None = None
    called_number: Text | None = None
    ivr: Timing | None = None
    wait: Timing | None = None
    alerting: Timing | None = None
    talk: Timing | None = None
    hold: Timing | None = None
    wrap_up: Timing | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name in ("started_at", "ended_at"):
            part: Instant | None = getattr(self, name)
            if part is not None and part.is_time_of_day and name == "started_at":
                raise ValueError("started_at has a time of day but no date; add date")
        if "blocked" in (self.outcome.targets or ()) and self.block_reason is None:
            raise ValueError("outcome can be blocked, so block_reason (full, join_empty, closed) is needed")
        return self


class TicketFields(Strict):
    """Fields of a ticket and of the contact it came from."""

    created_at: Moment
    resolved_at: Moment | None = None
    closed_at: Moment | None = None
    channel: Text
    state: Text
    service_type: Text
    complaint_type: Text | None = None
    product: Text | None = None
    unit: Text | None = None
    priority: Text | None = None
    customer: Text | None = None
    customer_level: Text | None = None
    title: Text | None = None
    description: Text | None = None
    on_behalf: Text | None = None

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if self.created_at.is_time_of_day:
            raise ValueError("created_at has a time of day but no date; add date")
        return self


class Mapping(Strict):
    """A whole mapping file."""

    source: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="Prefix of every key; contacts.source")
    kind: Literal["calls", "tickets"]
    description: str = ""
    file: File = File()
    time_zone: str
    key: list[str] = Field(min_length=1)
    reject: list[Reject] = []
    reference: Reference = Reference()
    calls: CallFields | None = None
    tickets: TicketFields | None = None

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("is not a time zone of the IANA list, such as Asia/Shanghai") from error
        return value

    @model_validator(mode="after")
    def _fields_of_the_kind(self) -> Self:
        if getattr(self, self.kind) is None:
            raise ValueError(f"kind is {self.kind}, so the block {self.kind}: is needed")
        other = "tickets" if self.kind == "calls" else "calls"
        if getattr(self, other) is not None:
            raise ValueError(f"kind is {self.kind}; take the block {other}: out")
        return self

    @property
    def fields(self) -> CallFields | TicketFields:
        """The block of the mapping's kind."""
        block = self.calls if self.kind == "calls" else self.tickets
        assert block is not None  # noqa: S101 - the validator above refuses it
        return block

    def columns_read(self) -> dict[str, set[str]]:
        """Field of the mapping → columns of the file that it needs."""
        needed: dict[str, set[str]] = {"key": set(self.key)}
        for number, rule in enumerate(self.reject, start=1):
            needed[f"reject {number}"] = set(rule.when)
        for name in type(self.fields).model_fields:
            part = getattr(self.fields, name)
            if isinstance(part, Duration):
                needed[f"{self.kind}.{name}"] = {part.column}
            elif part is not None:
                needed[f"{self.kind}.{name}"] = part.columns_read()
        return needed
