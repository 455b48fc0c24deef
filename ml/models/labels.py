"""Labels of any form: flat values, dotted paths ('fault.tv.no_picture'), or paths as tuples and lists."""

from typing import Any

import numpy as np
import pandas as pd

_JOIN = "\x1f"


class LabelForm:
    """Remembers how labels were given, so that predictions come back the same way.

    Attributes:
        classes: the distinct labels, sorted, in the given form (an object array of tuples for paths).
        levels: per class, its path; a flat label is a path of one.
    """

    def fit(self, y: Any, separator: str) -> np.ndarray:
        """Learn the classes; returns each row's place in them.

        Raises:
            ValueError: a missing label.
        """
        self.separator = separator
        values = _as_list(y)
        missing = [place for place, value in enumerate(values) if _is_missing(value)]
        if missing:
            raise ValueError(
                f"Input y contains NaN: {len(missing)} of {len(values)} labels are missing; leave them out."
            )
        self.paths = any(isinstance(value, tuple | list) for value in values)
        self.texts = self.paths or any(isinstance(value, str) for value in values)
        keys = np.array([self._key(value) for value in values])
        found, places = np.unique(keys, return_inverse=True)
        self._set(found)
        return np.asarray(places)

    def extend(self, y: Any) -> np.ndarray:
        """Places of later labels; labels not seen before become further classes at the end."""
        keys = [self._key(value) for value in _as_list(y)]
        known = {key: place for place, key in enumerate(self.keys.tolist())}
        new = sorted({key for key in keys if key not in known})
        if new:
            self._set(np.array([*self.keys.tolist(), *new]))
            known = {key: place for place, key in enumerate(self.keys.tolist())}
        return np.array([known[key] for key in keys], dtype=np.int64)

    def _key(self, value: Any) -> Any:
        if not self.texts:
            return value
        if isinstance(value, tuple | list):
            return _JOIN.join(str(part) for part in value if not _is_missing(part) and str(part))
        return str(value)

    def _set(self, keys: np.ndarray) -> None:
        self.keys = keys
        split = _JOIN if self.paths else self.separator
        self.levels = [tuple(str(key).split(split)) if self.texts else (str(key),) for key in keys.tolist()]
        self.classes = keys
        if self.paths:
            self.classes = np.empty(len(keys), dtype=object)
            self.classes[:] = self.levels


def _as_list(y: Any) -> list[Any]:
    if isinstance(y, pd.DataFrame):
        y = y.to_numpy(dtype=object)
        return [row[0] for row in y] if y.shape[1] == 1 else [tuple(row) for row in y]
    values = list(y)
    if isinstance(y, np.ndarray) and y.ndim == 2:
        return [row[0] for row in y] if y.shape[1] == 1 else [tuple(row) for row in y]
    return values


def _is_missing(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return not value or _is_missing(value[0])
    return value is None or value is pd.NA or bool(value != value)
