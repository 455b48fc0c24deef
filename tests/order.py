"""In which order files are tested, and which of them by the same worker.

Workers take whole files. The longest come first, so that none is left alone with one at the end; files that share
something dear (a session's Airflow, a contact centre with its phones) stay together, so that it is made once.
"""

from xdist.scheduler import LoadFileScheduling

#: Longest first; all others follow as they are found.
LONG = (
    "dags/test_scheduler.py",
    "ml/test_province.py",
    "end_to_end/test_phone.py",
    "end_to_end/test_dashboards.py",
    "cli/test_backup.py",
    "end_to_end/test_campaign_loop.py",
    "cli/test_demo.py",
    "crm_api/test_identity_matrix.py",
    "warehouse/test_gates.py",
    "warehouse/test_increments.py",
    "dashboards/test_pages.py",
    "end_to_end/test_pipeline.py",
    "ml/test_propensity.py",
    "crm_api/test_api_schema.py",
    "warehouse/test_faults.py",
    "warehouse/test_publication.py",
    "ingestion/test_load_crash.py",
    "telephony/test_talking_together.py",
    "telephony/test_ivr_calls.py",
    "telephony/test_load.py",
    "telephony/test_dialled_lists.py",
    "telephony/test_dialler.py",
    "telephony/test_fax.py",
    "telephony/test_real_asterisk.py",
    "telephony/test_recordings.py",
    "end_to_end/test_capture.py",
    "end_to_end/test_capture_pages.py",
    "end_to_end/test_capture_loop.py",
    "end_to_end/test_wallboard.py",
    "warehouse/test_figures.py",
    "warehouse/test_readers.py",
    "warehouse/test_compaction.py",
    "ml/test_uplift.py",
    "reports/test_documents.py",
    "crm_api/test_ticket_properties.py",
    "crm_api/test_sla_worker.py",
    "cli/test_wrong_homes.py",
    "cli/test_doctor.py",
    "ml/test_volume.py",
)
#: File -> what it shares.
_SHARES = {
    "dags/test_dags.py": "Airflow",
    "dags/test_scheduler.py": "Airflow",
    "end_to_end/test_phone.py": "phones",
    "end_to_end/test_phone_calls.py": "phones",
    "end_to_end/test_phone_outage.py": "phones",
}
_PLACES = {name: place for place, name in enumerate(LONG)}


def _name(nodeid: str) -> str:
    return nodeid.partition("::")[0].removeprefix("tests/")


def place(nodeid: str) -> int:
    """Sorts tests by how long their files take."""
    return _PLACES.get(_name(nodeid), len(LONG))


class Together(LoadFileScheduling):
    """Whole files, those that share something to the same worker."""

    def _split_scope(self, nodeid: str) -> str:
        return _SHARES.get(_name(nodeid)) or super()._split_scope(nodeid)
