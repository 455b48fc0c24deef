"""The plan of the PBX from the CRM's data."""

from dataclasses import replace

from sqlalchemy.orm import Session

from crm_api.routing import service as routing
from telephony.asterisk.plan import AgentPlan, PbxPlan, QueuePlan


def plan_from_store(session: Session, base: PbxPlan) -> PbxPlan:
    """`base` (ports, manager user, numbers) with the store's queues and agents."""
    queues = tuple(
        QueuePlan(
            code=one.queue.code,
            strategy=one.routing.strategy,
            ring_seconds=one.routing.ring_seconds,
            wrap_up_seconds=one.routing.wrap_up_seconds,
            max_waiting=one.routing.max_waiting,
            max_wait_seconds=one.routing.max_wait_seconds,
            weight=one.routing.weight or (10 if one.queue.is_priority else 0),
            target_seconds=one.queue.target_seconds,
        )
        for one in routing.list_routings(session)
    )
    agents = tuple(
        AgentPlan(
            code=one.agent.code,
            secret=one.endpoint.secret,
            is_webrtc=one.endpoint.kind == "webrtc",
            signs_in=True,
            queues=one.queues,
        )
        for one in routing.list_phones(session)
    )
    codes = {queue.code for queue in queues}
    default = base.default_queue if base.default_queue in codes or not codes else sorted(codes)[0]
    return replace(base, queues=queues, agents=agents, default_queue=default)
