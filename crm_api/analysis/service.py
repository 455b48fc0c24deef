"""Write, see and end annotations; keep and forget views."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.analysis.models import Annotation, SavedView
from crm_api.audit.service import Origin, record
from crm_api.errors import ConflictError, InvalidError, NotFoundError
from crm_api.identity.scope import scope_rule, scoped, visible_units
from crm_api.organisation.models import OrgUnit

#: Annotations given at once, the newest days first; views that one person keeps.
MOST, MOST_VIEWS = 500, 100


@scope_rule(Annotation)
def _of_unit(actor: Actor) -> ColumnElement[bool]:
    return Annotation.unit_id.in_(visible_units(actor))


def annotations(session: Session, actor: Actor, *, first: date, last: date, unit_code: str | None) -> list[Annotation]:
    """What was written about days of `first` to `last`, the newest days first; at most MOST.

    A unit's people see its annotations and the province's; with `unit_code`, only that unit's and the province's.
    """
    wanted = select(Annotation).where(
        Annotation.ended_at.is_(None), Annotation.first_day <= last, Annotation.last_day >= first
    )
    units = visible_units(actor)
    seen = Annotation.unit_id.in_(units.where(OrgUnit.code == unit_code) if unit_code else units)
    general = Annotation.unit_id.in_(select(OrgUnit.id).where(OrgUnit.kind == "province"))
    rows = wanted.where(or_(seen, general)).order_by(Annotation.first_day.desc(), Annotation.id.desc())
    return list(session.scalars(rows.limit(MOST)))


def annotate(
    session: Session, *, actor: Actor, unit_code: str, first: date, last: date, text: str, origin: Origin | None = None
) -> Annotation:
    """Write what happened on these days in a unit.

    Raises:
        InvalidError: the last day is before the first, or the unit is a county.
        NotFoundError: a unit that `actor` does not see.
    """
    if last < first:
        raise InvalidError(f"last_day is {last}, before first_day {first}.", "Give the days in their order.")
    unit = session.scalar(select(OrgUnit).where(OrgUnit.code == unit_code, OrgUnit.id.in_(visible_units(actor))))
    if unit is None:
        raise NotFoundError(f"There is no unit {unit_code!r}.")
    if unit.kind == "county":
        raise InvalidError(f"unit is {unit_code!r}, a county.", "Annotations are of the province or of a city.")
    row = Annotation(
        unit_id=unit.id, first_day=first, last_day=last, text=text, created_by=actor.username, created_at=utc_now()
    )
    session.add(row)
    session.flush()
    record(session, "annotation.written", actor=actor, subject=("annotation", row.id), origin=origin, unit=unit_code)
    session.refresh(row)
    return row


def end(session: Session, annotation_id: int, *, actor: Actor, origin: Origin | None = None) -> None:
    """Show it no longer; repeating it changes nothing. NotFoundError: of no unit that `actor` works for."""
    row = session.scalar(scoped(select(Annotation), actor).where(Annotation.id == annotation_id))
    if row is None:
        raise NotFoundError(f"There is no annotation {annotation_id}.")
    if row.ended_at is None:
        row.ended_at = utc_now()
        record(session, "annotation.ended", actor=actor, subject=("annotation", row.id), origin=origin)


def saved_views(session: Session, user_id: int) -> list[SavedView]:
    """A person's views by name."""
    return list(session.scalars(select(SavedView).where(SavedView.user_id == user_id).order_by(SavedView.name)))


def save_view(session: Session, *, user_id: int, name: str, page: str, params: Mapping[str, str]) -> SavedView:
    """Keep a page with its parameters under a name; the same name again replaces it.

    Raises:
        ConflictError: the person keeps MOST_VIEWS already.
    """
    kept = {view.name: view for view in saved_views(session, user_id)}
    row = kept.get(name)
    if row is None:
        if len(kept) >= MOST_VIEWS:
            raise ConflictError(f"You keep {MOST_VIEWS} views already.", "Forget one first.")
        row = SavedView(user_id=user_id, name=name)
        session.add(row)
    row.page, row.params, row.saved_at = page, dict(params), utc_now()
    session.flush()
    return row


def forget_view(session: Session, view_id: int, *, user_id: int) -> None:
    """Keep it no longer. NotFoundError: it is not this person's."""
    row = session.scalar(select(SavedView).where(SavedView.id == view_id, SavedView.user_id == user_id))
    if row is None:
        raise NotFoundError(f"There is no saved view {view_id}.")
    session.delete(row)
