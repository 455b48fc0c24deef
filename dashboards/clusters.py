"""Complaints that come together: more of a type in a city on a day than chance around its usual number makes. Pure.

Usual is the same weekday of the eight weeks before. With S complaints on those eight days, the day's number follows a
Poisson law of which the mean is known only as well as S tells it: negative binomial with S + ½ and 8/9.
A day is flagged where so many or more would come by chance with a probability below 5 % over all days, cities and types
looked at together (Bonferroni), and where there are at least FEWEST.
"""

from datetime import date

import pandas as pd

WEEKS, FEWEST, ERROR = 8, 4, 0.05
KEYS = ["city_code", "code"]


def clusters(counts: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """The flagged days from `first` to `last`, least probable first.

    Args:
        counts: `day`, `city_code`, `code`, `complaints` of these days and the eight weeks before; days without any are
            left out.
        first: the first day looked at.
        last: the last day looked at.

    Returns:
        `day`, `city_code`, `code`, `complaints`, `expected` (a mean), `probability`.
    """
    from scipy.stats import nbinom

    table = counts.assign(day=pd.to_datetime(counts["day"]))
    now = table[(table["day"] >= pd.Timestamp(first)) & (table["day"] <= pd.Timestamp(last))]
    days = (last - first).days + 1
    cells = max(days * len(table[KEYS].drop_duplicates()), 1)
    many = now[now["complaints"] >= FEWEST].reset_index(drop=True)
    before = pd.Series(0.0, index=many.index)
    for week in range(1, WEEKS + 1):
        earlier = table.assign(day=table["day"] + pd.Timedelta(weeks=week)).rename(columns={"complaints": "then"})
        then = many.merge(earlier[["day", *KEYS, "then"]], on=["day", *KEYS], how="left")["then"]
        before += then.fillna(0).astype(float)
    probability = nbinom.sf(many["complaints"].astype(float) - 1, before + 0.5, WEEKS / (WEEKS + 1))
    found = many.assign(expected=before / WEEKS, probability=probability)
    flagged = found[found["probability"] < ERROR / cells]
    columns = ["day", *KEYS, "complaints", "expected", "probability"]
    return flagged.sort_values(["probability", "complaints"], ascending=[True, False])[columns].reset_index(drop=True)
