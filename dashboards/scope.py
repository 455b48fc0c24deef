"""Who looks: their scope, with which every reader of a page is opened, and what they may do."""

from dataclasses import dataclass

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.i18n import Language
from core.scope import PROVINCE, Scope

#: What the CRM calls the right to see the pages.
SEE_PAGES = "report:read"
#: Who may see figures of single agents: whoever may look at the telephone floor.
SEE_AGENTS = "telephony:read"


class DashboardSettings(BaseSettings):
    """Settings of the pages; every field is the environment variable CRM_DASHBOARD_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="CRM_DASHBOARD_", extra="ignore")

    crm_url: str = Field(
        default="http://127.0.0.1:8080",
        pattern=r"^https?://[^/\s]+$",
        description="Where the pages ask the CRM who is signed in (crm api).",
    )
    crm_browser_url: str = Field(
        default="",
        pattern=r"^(https?://[^/\s]+|/)?$",
        description="Where browsers reach the CRM; empty: as CRM_URL; /: on the pages' own host (one proxy).",
    )
    scope: str = Field(
        default="",
        description="No sign-in: everybody sees this unit (province or a city's code). Only on a machine of one's own.",
    )
    costs: str = Field(default="", description="A file of what contacts cost, like dashboards/costs.yml.")
    poll_seconds: float = Field(default=5.0, gt=0, description="How often a page looks for a new publication.")


@dataclass(frozen=True)
class Viewer:
    """Somebody who looks at the pages; without sign-in nobody in particular (`username` is empty)."""

    scope: Scope
    username: str = ""
    display_name: str = ""
    role: str = ""
    language: Language | None = None
    permissions: frozenset[str] = frozenset({SEE_PAGES})
    csrf_token: str = ""
    must_change_password: bool = False

    def may(self, permission: str) -> bool:
        """Whether the CRM grants them `permission`, e.g. `export`."""
        return permission in self.permissions

    @property
    def may_see_pages(self) -> bool:
        """Whether the pages are for them."""
        return self.may(SEE_PAGES)


def viewer_without_sign_in() -> Viewer | None:
    """Everybody, where the installation asks for no sign-in (CRM_DASHBOARD_SCOPE); else None."""
    unit = DashboardSettings().scope.strip()
    if not unit:
        return None
    # The telephone floor is the province's: single agents are shown to it alone.
    if unit == "province":
        return Viewer(PROVINCE, permissions=frozenset({SEE_PAGES, SEE_AGENTS}))
    return Viewer(Scope(unit))
