"""Emerging topics: recent complaint texts that fit no type, grouped by the words they share, for a person to name."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from math import log
from typing import Any

import pandas as pd

_RECENT_DAYS = 30
_LEAST_TEXTS = 5
_MOST_TOPICS = 10
_SHARE_OF_WORD = 0.5
#: Runs of Chinese or Latin letters; numbers never become words of a topic (they may name a person).
_RUNS = re.compile(r"[\u4e00-\u9fff]+|[A-Za-z]{3,}")


@dataclass(frozen=True)
class Topic:
    """Texts that share words which were rare before.

    Attributes:
        terms: the words, most telling first.
        tickets: ids of the tickets.
        first, last: days of the first and the last of them.
    """

    terms: tuple[str, ...]
    tickets: tuple[int, ...]
    first: date
    last: date


def words_of(text: str) -> set[str]:
    """The pieces of two to four Chinese characters, and Latin words in lower case."""
    found: set[str] = set()
    for run in _RUNS.findall(text):
        if run[0].isascii():
            found.add(run.lower())
        else:
            found |= {run[at : at + size] for size in (2, 3, 4) for at in range(len(run) - size + 1)}
    return found


def emerging(
    table: pd.DataFrame, model: Any, now: datetime, *, days: int = _RECENT_DAYS, least: int = _LEAST_TEXTS
) -> list[Topic]:
    """Topics among the recent texts that the model is unsure of, or that were filed under "other"; largest first.

    Args:
        table: id, created_at (aware), text, type, of old and recent tickets.
        model: a fitted ComplaintClassifier.
        now: the end of what is recent.
        days, least: length of what is recent, and the smallest topic.
    """
    recent = table["created_at"] >= pd.Timestamp(now) - pd.Timedelta(days=days)
    if not recent.any():
        return []
    unsure = pd.Series(model.predict_proba(table["text"]).max(axis=1) < model.threshold_, index=table.index)
    odd = unsure | table["type"].str.startswith("other")
    # A word is new if it was rare among all texts before and also among those that fitted no type then.
    before = [_Usage.of(table.loc[~recent, "text"]), _Usage.of(table.loc[~recent & odd, "text"])]
    return _groups(table[recent & odd], before, least)


@dataclass(frozen=True)
class _Usage:
    """How many texts use each word, of how many."""

    words: Counter[str]
    texts: int

    @classmethod
    def of(cls, texts: pd.Series) -> "_Usage":
        return cls(Counter(word for text in texts for word in words_of(text)), len(texts))

    def share(self, word: str) -> float:
        return (self.words[word] + 0.5) / (self.texts + 1.0)


def _groups(odd: pd.DataFrame, before: list[_Usage], least: int) -> list[Topic]:
    texts = {int(ticket): str(text) for ticket, text in zip(odd["id"], odd["text"], strict=True)}
    created = dict(zip(odd["id"].astype(int), odd["created_at"], strict=True))
    said = {ticket: words_of(text) for ticket, text in texts.items()}
    left = set(said)
    topics: list[Topic] = []
    while len(left) >= least and len(topics) < _MOST_TOPICS:
        counts = Counter(word for ticket in left for word in said[ticket])
        scored = {
            word: count * _lift(count / len(odd), max(usage.share(word) for usage in before))
            for word, count in counts.items()
            if count >= least
        }
        best = max(scored, key=lambda word: (scored[word], len(word), word), default=None)
        if best is None or scored[best] <= 0:
            break
        group = {ticket for ticket in left if best in said[ticket]}
        shared = Counter(word for ticket in group for word in said[ticket] if scored.get(word, 0) > 0)
        terms = [word for word, count in shared.items() if count >= _SHARE_OF_WORD * len(group)]
        days = [pd.Timestamp(created[ticket]).date() for ticket in group]
        topics.append(Topic(_told(terms, [texts[each] for each in group]), tuple(sorted(group)), min(days), max(days)))
        left -= group
    return sorted(topics, key=lambda topic: -len(topic.tickets))


def _lift(share: float, earlier: float) -> float:
    """Log of how much more frequent a word is now; 0 unless at least four times."""
    return log(share / earlier) if share >= 4 * earlier else 0.0


def _told(terms: list[str], texts: list[str], most: int = 5) -> tuple[str, ...]:
    """The stretches of one of the texts that shared words cover, longest first: pieces that overlap read as one."""
    best: list[str] = []
    for text in texts:
        covered = [False] * len(text)
        lowered = text.lower()
        for term in terms:
            at = lowered.find(term)
            if at >= 0:
                covered[at : at + len(term)] = [True] * len(term)
        marked = "".join(letter if seen else "\n" for letter, seen in zip(text, covered, strict=True))
        stretches = sorted(set(filter(None, marked.split("\n"))), key=lambda each: (-len(each), each))
        if sum(map(len, stretches)) > sum(map(len, best)):
            best = stretches
    return tuple(best[:most])
