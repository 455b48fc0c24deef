"""The frontend's routes, gathered."""

from fastapi import APIRouter

from crm_api.capture import (
    callbacks,
    campaign_calls,
    campaigns,
    capture,
    customers,
    dialling,
    drafts,
    entry,
    groups,
    knowledge,
    live,
    many,
    merging,
    monitor,
    phone_recordings,
    process_editor,
    proposals,
    reports,
    service_levels,
    supervisor,
    ticket_parts,
    tickets,
    work,
)

router = APIRouter()
for _part in (
    entry,
    drafts,
    customers,
    groups,
    merging,
    capture,
    many,
    tickets,
    ticket_parts,
    work,
    callbacks,
    dialling,
    campaigns,
    campaign_calls,
    monitor,
    proposals,
    process_editor,
    service_levels,
    knowledge,
    supervisor,
    phone_recordings,
    reports,
    live,
):
    router.include_router(_part.router)
