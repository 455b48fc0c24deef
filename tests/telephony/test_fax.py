"""A fax sent by one Asterisk and received by another becomes a contact with its pages as PDF."""

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import Engine, select

from core.database import make_engine, session_scope
from core.settings import get_settings
from crm_api.attachments.models import Attachment
from crm_api.attachments.service import path_of
from crm_api.contacts.models import Contact
from telephony.asterisk.private import PrivateAsterisk
from telephony.fax import collect, read_told, to_pdf
from telephony.manager import Manager
from tests.telephony.conftest import Start
from tests.telephony.test_listener import _eventually
from tests.telephony.test_real_asterisk import PLAN

AT = datetime(2026, 3, 2, 4, tzinfo=UTC)


def _tiff(pages: int = 2) -> bytes:
    made = []
    for number in range(pages):
        page = Image.new("1", (1728, 400), 1)
        ImageDraw.Draw(page).text((100, 100), f"page {number + 1}", fill=0)
        made.append(page)
    result = io.BytesIO()
    made[0].save(result, "TIFF", compression="group4", save_all=True, append_images=made[1:], dpi=(204, 196))
    return result.getvalue()


def test_pages_become_a_pdf_that_is_the_same_each_time() -> None:
    content, pages = to_pdf(_tiff(3), AT)
    assert (content[:5], pages) == (b"%PDF-", 3)
    assert to_pdf(_tiff(3), AT)[0] == content
    with pytest.raises(ValueError, match="cannot be read"):
        to_pdf(b"II*\0 no pages", AT)


@pytest.mark.parametrize("line", ["", "SUCCESS|1|x", "SUCCESS|1|1|2|a|b", "SUCCESS|1|1|2|3|4|T38|x", "\0\0|||||"])
def test_what_is_no_report_of_a_fax_is_not_taken_for_one(line: str) -> None:
    assert read_told(line) is None


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()


def test_a_fax_is_one_contact_however_often_it_is_collected(store: Engine, tmp_path: Path, kept: None) -> None:
    spool = tmp_path / "fax"
    spool.mkdir()
    for key, told, pages in (
        ("1.1", "SUCCESS|2|02988880000|+86298888|1772424000|1772424060\n", _tiff()),
        ("1.2", "FAILED||02988880000||1772424000|1772424060\n", None),
        ("1.3", "SUCCESS|1|||1772424000|1772424060\n", b"broken"),
    ):
        (spool / f"{key}.told").write_text(told)
        if pages is not None:
            (spool / f"{key}.tif").write_bytes(pages)
    (spool / "1.4.tif").write_bytes(_tiff()[:100])
    assert collect(store, spool) == {"received": 1, "empty": 1, "damaged": 1}
    for name in ("1.1.told", "1.1.tif"):
        (spool / "done" / name).rename(spool / name)
    assert collect(store, spool) == {"received": 1, "empty": 0, "damaged": 0}
    assert [path.name for path in spool.glob("*.*")] == ["1.4.tif"], "a fax that is coming in is left alone"
    with session_scope(store) as session:
        contact = session.scalars(select(Contact).where(Contact.channel_code == "fax")).one()
        attached = session.scalars(select(Attachment).where(Attachment.contact_id == contact.id)).one()
        assert (contact.remote_address, attached.media_type) == ("02988880000", "application/pdf")
        assert path_of(attached.sha256).read_bytes()[:5] == b"%PDF-"


def _send(sender: PrivateAsterisk, trunks: Sequence[str], number: str) -> None:
    """One page to `number` over each trunk; the station's own number tells them apart."""
    (sender.state / "page.tif").write_bytes(_tiff(1))
    manager = Manager()
    manager.connect(sender.plan.ports.host, sender.plan.ports.manager)
    manager.login(PLAN.manager_user, PLAN.manager_secret)
    for place, trunk in enumerate(trunks):
        reply = manager.send_action(
            {
                "Action": "Originate",
                "Channel": f"PJSIP/{number}@{trunk}",
                "CallerID": f"0298888000{place}",
                "Application": "SendFAX",
                "Data": f"/srv/{sender.name}/page.tif,f",
                "Async": "true",
            }
        )
        assert reply.get_header("Response") == "Success", reply
    manager.close()


def _add_trunk_without_t38(sender: PrivateAsterisk) -> None:
    file = sender.etc / "pjsip.conf"
    trunk = file.read_text().partition("[trunk]")[2].partition("[trunk]\ntype = aor")[0]
    file.write_text(file.read_text() + "\n[audio]" + trunk.replace("t38_udptl = yes", "t38_udptl = no"))
    sender.command("module reload res_pjsip.so")


def test_asterisk_receives_faxes_over_t38_and_as_audio(
    asterisk: Start, sqlite_url: str, tmp_path: Path, kept: None
) -> None:
    receiver = asterisk(replace(PLAN, fax_number="96767"))
    sender = asterisk(replace(PLAN, trunk_port=receiver.plan.ports.sip))
    _add_trunk_without_t38(sender)
    _send(sender, ("trunk", "audio"), "96767")
    spool = receiver.state / "spool" / "fax"
    assert _eventually(lambda: len(list(spool.glob("*.told"))) == 2, 120)
    told = [read_told(path.read_text()) for path in sorted(spool.glob("*.told"))]
    found = {(one.number, one.mode, one.status, one.pages) for one in told if one}
    assert found == {("02988880000", "T38", "SUCCESS", 1), ("02988880001", "audio", "SUCCESS", 1)}, "as negotiated"
    engine = make_engine(url=sqlite_url)
    assert collect(engine, spool)["received"] == 2
    with session_scope(engine) as session:
        contacts = session.scalars(select(Contact).where(Contact.channel_code == "fax")).all()
        attached = session.scalars(select(Attachment)).all()
        assert {one.contact_id for one in attached} == {one.id for one in contacts}
        assert {one.remote_address for one in contacts} == {"02988880000", "02988880001"}
        assert [(one.media_type, one.size_bytes > 500) for one in attached] == [("application/pdf", True)] * 2
    engine.dispose()
