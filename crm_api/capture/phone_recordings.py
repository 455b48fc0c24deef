"""A contact's recordings in a page, for those who may listen."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from crm_api.capture.pages import render
from crm_api.contacts.service import get_contact
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.routing import recordings
from crm_api.web.dependencies import DbSession, RowId, requires

router = APIRouter(include_in_schema=False)
Listener = Annotated[Identity, requires(Permission.RECORDING_LISTEN)]


@router.get("/app/contacts/{contact_id}/recordings")
def players(contact_id: RowId, identity: Listener, session: DbSession, request: Request) -> Response:
    """A player for each recording of the contact that is kept; nothing is loaded until somebody presses play."""
    contact = get_contact(session, contact_id, identity.actor)
    rows = recordings.of_contact(session, contact.id)
    return render(request, session, identity, "phone_recordings.html", rows=rows)
