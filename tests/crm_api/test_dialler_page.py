"""The emergency stop of the platform's own calls, where a supervisor looks anyway: one click, audited."""

from sqlalchemy import Engine, select

from core.database import session_scope
from crm_api.audit.models import AuditEntry
from crm_api.routing import outbound
from tests.crm_api.conftest import Client
from tests.crm_api.world import World


def test_a_supervisor_stops_all_dialling_and_lets_it_go_on(client: Client, populated: tuple[Engine, World]) -> None:
    engine, _ = populated
    supervisor = client("supervisor")
    page = supervisor.get("/app/supervisor", headers={"Accept": "text/html"}).text
    assert 'data-stopped="no"' in page
    assert "紧急停止" in page
    page = supervisor.post("/app/supervisor/dialler/stop", data={"reason": "名单有误"}).text
    assert 'data-stopped="yes"' in page
    assert "停止外呼：名单有误" in page
    with session_scope(engine) as session:
        assert outbound.is_stopped(session)
    assert supervisor.get("/api/v1/dialler").json()["reason"] == "名单有误"
    # Nobody has to think of a reason first.
    assert "未说明原因" in supervisor.post("/app/supervisor/dialler/stop").text
    assert 'data-stopped="no"' in supervisor.post("/app/supervisor/dialler/resume").text
    with session_scope(engine) as session:
        told = select(AuditEntry.action).where(AuditEntry.action.startswith("dialler.")).order_by(AuditEntry.id)
        assert session.scalars(told).all() == ["dialler.stopped", "dialler.stopped", "dialler.resumed"]
