"""Files of tickets and contacts: what they are is read from their content, and who sees the ticket sees them."""

import zipfile
from io import BytesIO
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import Engine, func, select

from core.database import session_scope
from crm_api.attachments import policy, service
from crm_api.attachments.models import Attachment
from crm_api.audit.models import AuditEntry
from crm_api.errors import InvalidError
from tests.crm_api.conftest import Client
from tests.crm_api.world import World

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
JPEG = b"\xff\xd8\xff\xe0" + bytes(40)


def _workbook(**more: bytes) -> bytes:
    buffer = BytesIO()
    Workbook().save(buffer)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, content in more.items():
            archive.writestr(f"xl/{name}.bin", content)
    return buffer.getvalue()


def _send(browser: Any, world: World, name: str, content: bytes, kind: str = "", owner: str = "ticket") -> Any:
    target = world[("work" if owner == "ticket" else owner, "own")]  # type: ignore[index]  # the names are a world's
    file = (name, content, kind) if kind else (name, content)
    return browser.post(f"/api/v1/{owner}s/{target}/attachments", files={"file": file})


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("现场.png", PNG, "image/png"),
        ("IMG.JPG", JPEG, "image/jpeg"),
        ("信.pdf", b"%PDF-1.7\n", "application/pdf"),
        ("清单.xlsx", _workbook(), policy.KINDS["xlsx"].media_type),
        ("说明.txt", "机顶盒无信号".encode("gb18030"), "text/plain"),
        ("表.csv", "﻿日期,次数\n2026-03-02,3\n".encode(), "text/csv"),
        ("来电.wav", b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/x-wav"),
    ],
)
def test_what_a_file_is_is_read_from_its_content(name: str, content: bytes, media_type: str) -> None:
    assert policy.check_content(name, content, declared=None, largest=10**6) == media_type


@pytest.mark.parametrize(
    ("name", "content", "declared"),
    [
        ("照片.png", JPEG, None),
        ("照片.jpg", b"<html><script>alert(1)</script>", "image/jpeg"),
        ("说明.txt", b"MZ\x90\x00" + bytes(200), None),
        ("说明.txt", b"<!DOCTYPE html><p>x", None),
        ("说明.txt", b"#!/bin/sh\nrm -rf /", None),
        ("说明.csv", PNG, None),
        ("清单.xlsx", b"PK\x03\x04 not a workbook", None),
        ("清单.docx", _workbook(), None),
        ("清单.xlsx", _workbook(vbaProject=b"macro"), None),
        ("照片.png", PNG, "text/html"),
        ("病毒.exe", b"MZ", None),
        ("图.svg", b"<svg onload='alert(1)'/>", None),
        ("空.txt", b"", None),
        ("大.txt", b"a" * 1001, None),
    ],
)
def test_a_file_that_lies_or_is_of_no_use_is_refused_with_words(
    name: str, content: bytes, declared: str | None
) -> None:
    with pytest.raises(InvalidError) as refusal:
        policy.check_content(name, content, declared=declared, largest=1000 if name == "大.txt" else 10**6)
    assert refusal.value.message
    assert refusal.value.mend


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\用户\\照片.png", "照片.png"),
        ("发票\u202egnp.exe.txt", "发票gnp.exe.txt"),
        ('a"b\r\nX: y.txt', "a_bX_ y.txt"),
        ("长" * 400 + ".pdf", "长" * 116 + ".pdf"),
    ],
)
def test_a_name_is_made_harmless(sent: str, kept: str) -> None:
    assert policy.clean_name(sent) == kept


@pytest.mark.parametrize("name", ["", "...", ".txt", "noending", "\x00.png"])
def test_a_name_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(InvalidError):
        policy.clean_name(name)


def test_a_file_is_sent_listed_fetched_and_removed(
    client: Client, world: World, populated: tuple[Engine, World]
) -> None:
    handler = client("baoji_handler")
    made = _send(handler, world, "现场照片.png", PNG, "image/png")
    assert made.status_code == 201, made.text
    number = made.json()["id"]
    assert _send(handler, world, "另一个名.png", PNG).json()["id"] == number, "the same content hangs there once"
    assert _send(handler, world, "信.png", PNG, owner="contact").json()["id"] != number
    assert service.path_of(made.json()["sha256"]).read_bytes() == PNG
    path = f"/api/v1/tickets/{world[('work', 'own')]}/attachments"
    assert [row["name"] for row in handler.get(path).json()] == ["现场.txt", "现场照片.png"]
    fetched = handler.get(f"/api/v1/attachments/{number}")
    assert fetched.content == PNG
    assert fetched.headers["content-disposition"].startswith("attachment; filename*=utf-8''")
    assert fetched.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in fetched.headers["content-security-policy"]
    assert client("baoji_lead").delete(f"/api/v1/attachments/{number}").status_code == 403, "somebody else's"
    assert handler.delete(f"/api/v1/attachments/{number}").status_code == 204
    assert handler.get(f"/api/v1/attachments/{number}").status_code == 404
    assert [row["name"] for row in handler.get(path).json()] == ["现场.txt"]
    with session_scope(populated[0]) as session:
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("attachment.%")))
        told = sorted(actions)
        assert told.count("attachment.read") == 1
        assert told.count("attachment.removed") == 1
        assert session.scalar(select(func.count()).select_from(Attachment).where(Attachment.deleted_by.is_not(None)))
    assert _send(handler, world, "再来.png", PNG).status_code == 201, "what was removed may come again"


def test_a_foreign_file_does_not_exist(client: Client, world: World) -> None:
    foreign = world[("attachment", "foreign")]
    handler = client("baoji_handler")
    assert handler.get(f"/api/v1/attachments/{foreign}").status_code == 404
    assert handler.delete(f"/api/v1/attachments/{foreign}").status_code == 404
    path = f"/api/v1/tickets/{world[('work', 'foreign')]}/attachments"
    assert handler.get(path).status_code == 404
    assert handler.post(path, files={"file": ("a.png", PNG)}).status_code == 404


def test_a_lying_file_is_refused_over_http_too(web: Client, sqlite_world: tuple[Engine, World]) -> None:
    answer = _send(web("baoji_handler"), sqlite_world[1], "照片.png", b"<script>alert(1)</script>", "image/png")
    assert answer.status_code == 422
    assert "not what its name says" in answer.json()["detail"]


def test_a_file_too_large_is_refused(
    web: Client, sqlite_world: tuple[Engine, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = service.get_web_settings().model_copy(update={"max_attachment_bytes": 1024})
    monkeypatch.setattr(service, "get_web_settings", lambda: small)
    answer = _send(web("baoji_handler"), sqlite_world[1], "大.txt", b"a" * 1025)
    assert answer.status_code == 422
    assert "1,024 are allowed" in answer.json()["detail"]


def test_a_ticket_holds_a_bounded_number_of_files(
    web: Client, sqlite_world: tuple[Engine, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_FILES", 2)
    handler = web("baoji_handler")
    assert _send(handler, sqlite_world[1], "a.txt", b"a").status_code == 201
    assert _send(handler, sqlite_world[1], "b.txt", b"b").status_code == 409
