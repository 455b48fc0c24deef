"""What the loop needs from the start, put into a store that has none of it; what people edited stays."""

from sqlalchemy.orm import Session

from crm_api.sla.policies import load_default_policies
from crm_api.tickets.checklists import load_default_templates
from crm_api.tickets.process_service import load_default_process


def load_loop(session: Session) -> int:
    """The delivered process, service levels, ladder and templates; the number of rows written."""
    return load_default_process(session) + load_default_policies(session) + load_default_templates(session)
