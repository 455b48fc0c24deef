"""Offers that every installation starts with."""

from pathlib import Path

import yaml
from sqlalchemy.orm import Session

from crm_api.campaigns.models import Offer


def load_offers(session: Session) -> int:
    """Add the offers that are missing; those that people changed stay. The number added."""
    content = yaml.safe_load((Path(__file__).parent / "offers.yml").read_text(encoding="utf-8"))
    missing = [row for row in content["offers"] if session.get(Offer, row["code"]) is None]
    session.add_all(Offer(**row) for row in missing)
    session.flush()
    return len(missing)
