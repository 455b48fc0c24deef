"""Texts of a mapping's fields: columns, joins, constants, value maps, patterns and rules over a batch."""

import re
from collections.abc import Callable

import numpy as np

from ingestion.imports.batch import Batch, Flags, Objects, is_none, per_unique
from ingestion.imports.mapping import Condition, Test, Value

#: A text that no value, pattern or rule fits.
_UNKNOWN = object()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _predicate(test: Test) -> Callable[[str], bool]:
    parts: list[Callable[[str], bool]] = []
    if test.one_of is not None:
        parts.append(frozenset(test.one_of).__contains__)
    if (none_of := test.none_of) is not None:
        parts.append(lambda text: text not in none_of)
    if test.matches is not None:
        search = re.compile(test.matches).search
        parts.append(lambda text: search(text) is not None)
    if test.is_empty is not None:
        parts.append(lambda text: (not text) == test.is_empty)
    if (above := test.above) is not None:
        parts.append(lambda text: _number(text) > above)
    if (below := test.below) is not None:
        parts.append(lambda text: _number(text) < below)
    if (at_least := test.at_least) is not None:
        parts.append(lambda text: _number(text) >= at_least)
    if (at_most := test.at_most) is not None:
        parts.append(lambda text: _number(text) <= at_most)
    return lambda text: all(part(text) for part in parts)


def holds(condition: Condition, batch: Batch) -> Flags:
    """Rows in which every test of the condition holds; a text that is no number fails every comparison."""
    result: Flags = np.ones(len(batch), dtype=bool)
    for column, test in condition.items():
        result &= per_unique(batch.column(column), _predicate(test)).astype(bool)
    return result


def joined(columns: list[Objects], separator: str) -> Objects:
    """The columns' texts of each row, joined."""
    result = np.empty(len(columns[0]), dtype=object)
    result[:] = [separator.join(parts) for parts in zip(*columns, strict=True)]
    return result


def _translation(value: Value) -> Callable[[str], object]:
    nothing = frozenset(value.empty)
    fallback = value.default if value.has_default else _UNKNOWN
    if value.values is not None:
        fold = str.casefold if value.ignore_case else str
        known = {fold(text): target for text, target in value.values.items()}
        return lambda text: None if text in nothing else known.get(fold(text), None if not text else fallback)
    if value.patterns is not None:
        patterns = [(re.compile(each.match, re.IGNORECASE), each.value) for each in value.patterns]
        return lambda text: next((target for pattern, target in patterns if pattern.search(text)), fallback)
    empty_target = value.default
    return lambda text: empty_target if not text or text in nothing else text


def _by_rules(value: Value, batch: Batch) -> Objects:
    result: Objects = np.full(len(batch), value.default if value.has_default else _UNKNOWN, dtype=object)
    undecided: Flags = np.ones(len(batch), dtype=bool)
    for rule in value.rules or ():
        fits = undecided & holds(rule.when, batch)
        result[fits] = rule.value
        undecided &= ~fits
    return result


def texts(value: Value, batch: Batch, *, field: str) -> Objects:
    """The field's text in each row, None where there is none; rows that nothing fits are refused."""
    if value.constant is not None:
        return np.full(len(batch), value.constant, dtype=object)
    if value.rules is not None:
        columns = sorted({name for rule in value.rules for name in rule.when})
        read = joined([batch.column(name) for name in columns], ", ")
        result = _by_rules(value, batch)
    else:
        names = value.columns or [value.column or ""]
        read = joined([batch.column(name) for name in names], value.separator)
        read = read if len(names) > 1 else batch.column(names[0])
        result = per_unique(read, _translation(value))
    unknown = np.asarray(result == _UNKNOWN, dtype=np.bool_)
    if unknown.any():
        result[unknown] = None
        batch.refuse(unknown, value.reason or f"{field} is not in the mapping", read)
    return result


def required(result: Objects, batch: Batch, *, field: str) -> Objects:
    """The same texts; rows without one are refused."""
    batch.refuse(is_none(result), f"{field} is empty")
    return result


def among(result: Objects, known: set[str] | frozenset[str], batch: Batch, *, reason: str) -> Objects:
    """The same texts; those not among the known are refused and become None."""
    strange = per_unique(result, lambda text: text is not None and text not in known).astype(bool)
    if strange.any():
        batch.refuse(strange, reason, result)
        result = result.copy()
        result[strange] = None
    return result


def fits(result: Objects, longest: int, batch: Batch, *, field: str) -> Objects:
    """The same texts; those longer than the store takes are refused."""
    too_long = per_unique(result, lambda text: text is not None and len(text) > longest).astype(bool)
    batch.refuse(too_long, f"{field} is longer than {longest} characters", result)
    return result
