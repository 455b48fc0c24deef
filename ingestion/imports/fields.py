"""A field's texts, held to what the store knows and takes."""

import numpy as np

from ingestion.imports.batch import Batch, Objects
from ingestion.imports.directory import Directory
from ingestion.imports.mapping import Value
from ingestion.imports.texts import among, fits, texts

_LIMITS = {"agent": 50, "agent_name": 80, "customer": 50, "queue": 50, "caller": 200, "called_number": 20}


def field_texts(value: Value | None, batch: Batch, directory: Directory, *, field: str) -> Objects:
    """The field's text in each row, None where there is none; unknown codes and overlong texts are refused."""
    if value is None:
        return np.full(len(batch), None, dtype=object)
    result = texts(value, batch, field=field)
    known = directory.known.get(field)
    if known is not None:
        result = among(result, known, batch, reason=value.reason or f"unknown {field}")
    return fits(result, _LIMITS[field], batch, field=field) if field in _LIMITS else result
