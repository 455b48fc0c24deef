"""What the schedules do at the two gates: a held run fails its task, and people hear of a new warning once."""

from dags.alerts import tell
from dags.held import tell_of_ends


def gate() -> str:
    """Judge the loads that came in; the verdict. Rows that are set aside are told."""
    from warehouse.lake_gate import inspect

    run = inspect()
    tell_of_ends()
    if run and run.set_aside:
        tell(f"{run.set_aside} rows are set aside", f"Run {run.run_id}; each with its reason: crm quarantine",
             page="rowssetaside")  # fmt: skip
    return run.verdict if run else "nothing new"


def gate_and_publish() -> str:
    """Publish the built marts behind their gate; the publication's run."""
    from core.errors import NotPublishedError
    from core.settings import get_settings
    from warehouse.expectations import Found, told
    from warehouse.publication import current
    from warehouse.publish import publish

    def broken(gates: list[Found]) -> dict[str, Found]:
        return {f"{each['suite']} {each['expectation']} {each['columns']}": each for each in gates if not each["holds"]}

    try:
        before = broken(current(get_settings()).gates)
    except (NotPublishedError, KeyError):
        before = {}
    publication = publish()
    tell_of_ends()
    new = [told(found) for name, found in broken(publication.gates).items() if name not in before]
    if new:
        tell(f"{len(new)} expectations do not hold", f"Run {publication.run_id} is published:\n\n" + "\n".join(new),
             page="expectationsbroken")  # fmt: skip
    return publication.run_id
