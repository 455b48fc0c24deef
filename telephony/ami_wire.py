"""The manager interface on the wire: bytes to messages and fields to bytes, without a connection."""

from collections.abc import Iterable, Iterator, Mapping

from core.errors import BadInputError

END = b"\r\n\r\n"

Fields = Mapping[str, str | int | list[str]]


class Message:
    """A response or an event. `headers` holds the first value of each name, `all(name)` every one.

    Has the methods of pyst2's own messages, so that code written for those goes on working.
    """

    __slots__ = ("_repeated", "headers", "variables")

    def __init__(self, frame: bytes) -> None:
        self.headers: dict[str, str] = {}
        self.variables: dict[str, str] = {}
        self._repeated: dict[str, list[str]] = {}
        for line in frame.decode("utf-8", "replace").split("\r\n"):
            name, colon, value = line.partition(":")
            if not colon:
                continue
            value = value[1:] if value.startswith(" ") else value
            if name.startswith("ChanVariable"):
                variable, _, content = value.partition("=")
                self.variables[variable] = content
            if name in self.headers:
                self._repeated.setdefault(name, [self.headers[name]]).append(value)
            else:
                self.headers[name] = value

    @property
    def name(self) -> str:
        """The event's name; empty for a response."""
        return self.headers.get("Event", "")

    @property
    def data(self) -> str:
        """Every line of a command's output."""
        return "\n".join(self.all("Output"))

    def all(self, name: str) -> list[str]:
        """Every value of a repeated header, in order."""
        return self._repeated.get(name) or ([self.headers[name]] if name in self.headers else [])

    def has_header(self, name: str) -> bool:
        """Whether the header is there."""
        return name in self.headers

    def get_header(self, name: str, default: str | None = None) -> str | None:
        """The header's first value."""
        return self.headers.get(name, default)

    def __getitem__(self, name: str) -> str:
        return self.headers[name]

    def seconds(self, name: str) -> int:
        """A header that tells seconds; 0 if it is missing or no such number."""
        value = self.headers.get(name, "")
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 11 else 0

    def __repr__(self) -> str:
        return f"Message({self.headers!r})"


def event_name(frame: bytes) -> bytes | None:
    """The name of an event without reading the rest of it; None for a response. Asterisk writes the name first."""
    if not frame.startswith(b"Event: "):
        return None
    end = frame.find(b"\r\n")
    return frame[7:] if end < 0 else frame[7:end]


class Splitter:
    """Cuts a stream into frames; what has no end yet waits for more.

    A peer that sends no frame end for `limit` bytes is not a manager interface: ValueError.
    """

    def __init__(self, limit: int = 4 * 1024 * 1024) -> None:
        self._rest = b""
        self._limit = limit
        self.greeting: str | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that `data` completes."""
        data = self._rest + data if self._rest else data
        if self.greeting is None:
            line, end, rest = data.partition(b"\r\n")
            if not end:
                self._keep(data)
                return
            self.greeting, data = line.decode("utf-8", "replace"), rest
        *frames, rest = data.split(END)
        self._keep(rest)
        for frame in frames:
            frame = frame.lstrip(b"\r\n")
            if frame:
                yield frame

    def _keep(self, rest: bytes) -> None:
        if len(rest) > self._limit:
            raise ValueError(f"no end of a message within {self._limit} bytes")
        self._rest = rest


def encode(fields: Iterable[tuple[str, str | int | list[str]]]) -> bytes:
    """The bytes of an action.

    Raises:
        BadInputError: a name or a value has a line break or a null byte (it would start an action of its own).
    """
    lines = []
    for name, value in fields:
        several: list[str | int] = list(value) if isinstance(value, list) else [value]
        for one in several:
            text = f"{name}: {one}"
            if any(mark in text for mark in "\r\n\0"):
                raise BadInputError(
                    f"The manager field {name!r} has a line break or a null byte: {str(one)[:80]!r}.",
                    "Remove it: a line break would begin another field or action.",
                )
            lines.append(text)
    return "\r\n".join(lines).encode() + END
