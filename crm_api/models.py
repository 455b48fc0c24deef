"""Every table of the store, imported in one place so that the metadata is whole."""

from crm_api.base import Base
from crm_api.contacts import models as contacts
from crm_api.customers import models as customers
from crm_api.imports import models as imports
from crm_api.organisation import models as organisation
from crm_api.tickets import models as tickets
from crm_api.workforce import models as workforce

__all__ = ["Base", "contacts", "customers", "imports", "organisation", "tickets", "workforce"]
