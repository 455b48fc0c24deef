"""What comes into an estimator, checked once and in words: the table, the target, the two arms of a trial."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d, validate_data

from ml.models.columns import as_frame, distinct_names


def read_table(estimator: Any, X: Any, *, reset: bool, least_rows: int = 0) -> pd.DataFrame:
    """`X` as a DataFrame whose width and names agree with the fit.

    Raises:
        ValueError: too few rows, no column, or other names or another width than at fit.
    """
    if isinstance(X, pd.DataFrame):
        X = distinct_names(X)
    frame = as_frame(X)
    if frame.shape[1] == 0:
        raise ValueError(f"0 feature(s) (shape={frame.shape}) while a minimum of 1 is required.")
    validate_data(estimator, X=X if hasattr(X, "shape") else frame.to_numpy(), reset=reset, skip_check_array=True)
    if len(frame) < least_rows:
        raise ValueError(f"Found array with {len(frame)} sample(s) (n_samples = {len(frame)}): {least_rows} needed.")
    return frame


def read_classes(estimator: Any, y: Any, rows: int, name: str = "y") -> tuple[np.ndarray, np.ndarray]:
    """The sorted classes of `y` and each row's place in them.

    Raises:
        ValueError: missing labels, another length than the table, continuous numbers.
    """
    values = read_target(estimator, y, rows, name)
    if values.dtype == object and not all(isinstance(value, str) for value in values):
        kinds = {bool if isinstance(value, bool | np.bool_) else type(value) for value in values}
        values = values.astype(str) if len(kinds) > 1 or kinds == {str} else np.array(values.tolist())
    check_classification_targets(values)
    classes, places = np.unique(values, return_inverse=True)
    return classes, places


def read_target(estimator: Any, y: Any, rows: int, name: str = "y") -> np.ndarray:
    """`y` as one row of values, without gaps and as long as the table."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires {name} to be passed, but the target {name} is None."
        )
    if isinstance(y, pd.Series | pd.DataFrame | pd.Index | pd.api.extensions.ExtensionArray):
        y = y.to_numpy()
    values = column_or_1d(y, warn=True)
    if len(values) != rows:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: [{rows}, {len(values)}]")
    missing = pd.isna(values)
    if missing.any():
        raise ValueError(
            f"Input {name} contains NaN: {int(missing.sum())} of {rows} labels are missing; leave them out."
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError(f"Input {name} contains infinity or a value too large.")
    return np.asarray(values)


def seed_of(random_state: Any) -> int:
    """One whole number from whatever scikit-learn takes as random_state."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def is_two_valued(values: np.ndarray) -> bool:
    """Whether a target is one of two classes, not an amount."""
    return type_of_target(values) == "binary" or len(np.unique(values)) < 2
