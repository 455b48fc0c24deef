"""A client that costs the measured machine little: HTTP/1.1 over kept connections, no more than the benchmark needs."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Reply:
    """An answer: its headers in lower case, its body whole."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """Requests to one port of loopback, each over a connection of its own, which is kept and used again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def get(self, path: str, headers: dict[str, str]) -> Reply:
        """A GET; OSError, TimeoutError or asyncio.IncompleteReadError if no whole answer comes."""
        return await self._send("GET", path, headers, b"")

    async def post(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Reply:
        """A POST of JSON, likewise."""
        return await self._send("POST", path, headers, json.dumps(body).encode())

    def close(self) -> None:
        """Let the kept connections go."""
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    async def _send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self._port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body:
            lines.append("Content-Type: application/json")
        request = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        async with asyncio.timeout(_PATIENCE_SECONDS):
            pair = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = pair
            try:
                writer.write(request)
                await writer.drain()
                reply = await _read(reader)
            except BaseException:
                writer.close()
                raise
        self._idle.append(pair)
        return reply


async def _read(reader: asyncio.StreamReader) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Reply(int(head[0].split()[1]), headers, body)
