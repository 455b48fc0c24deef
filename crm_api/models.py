"""Every table of the store, imported in one place so that the metadata is whole."""

from crm_api.analysis import models as analysis
from crm_api.attachments import models as attachments
from crm_api.audit import models as audit
from crm_api.base import Base
from crm_api.bus import models as bus
from crm_api.campaigns import models as campaigns
from crm_api.capture import models as capture
from crm_api.contacts import models as contacts
from crm_api.contacts import text_models as contact_texts
from crm_api.contacts import wrap_up_models as wrap_ups
from crm_api.customers import group_models as customer_groups
from crm_api.customers import models as customers
from crm_api.exchange import models as exchange
from crm_api.identity import models as identity
from crm_api.imports import models as imports
from crm_api.knowledge import models as knowledge
from crm_api.organisation import models as organisation
from crm_api.routing import models as routing
from crm_api.scores import models as scores
from crm_api.sla import models as sla
from crm_api.subscriptions import models as subscriptions
from crm_api.suggestions import models as suggestions
from crm_api.tickets import loop_models as loop
from crm_api.tickets import models as tickets
from crm_api.tickets import process_models as processes
from crm_api.webhooks import models as webhooks
from crm_api.workforce import models as workforce

__all__ = [
    "Base",
    "analysis",
    "attachments",
    "audit",
    "bus",
    "campaigns",
    "capture",
    "contact_texts",
    "contacts",
    "customer_groups",
    "customers",
    "exchange",
    "identity",
    "imports",
    "knowledge",
    "loop",
    "organisation",
    "processes",
    "routing",
    "scores",
    "sla",
    "subscriptions",
    "suggestions",
    "tickets",
    "webhooks",
    "workforce",
    "wrap_ups",
]
