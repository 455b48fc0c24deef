"""The KPI dictionary: every figure's name, formula and SQL, once (core/kpi.yml), for pages, reports and `crm kpi`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import yaml

_FILE = Path(__file__).with_name("kpi.yml")

Unit = Literal["count", "seconds", "hours", "ratio", "score", "per_thousand"]
Good = Literal["up", "down", "none"]


@dataclass(frozen=True)
class Kpi:
    """One figure.

    `sql` is an expression over the sums of the marts' additive measures; a ratio whose denominator is 0 is NULL.
    `decimals` is how many a page shows (of a ratio: of the fraction, so 4 is 12.34 %); stored figures are unrounded.
    """

    code: str
    name_zh: str
    name_en: str
    formula_zh: str
    formula_en: str
    sql: str
    unit: Unit
    good: Good
    decimals: int
    target: float | None = None

    def name(self, language: str) -> str:
        """The name in `language` (zh-CN or en)."""
        return self.name_en if language == "en" else self.name_zh

    def formula(self, language: str) -> str:
        """The formula in words, in `language` (zh-CN or en)."""
        return self.formula_en if language == "en" else self.formula_zh


@lru_cache
def dictionary() -> Mapping[str, Kpi]:
    """Every KPI by its code, in the order in which lists show them."""
    content = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return MappingProxyType({code: Kpi(code=code, **entry) for code, entry in content.items()})
