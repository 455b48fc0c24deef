"""Texts as rows of weighted pieces (TF-IDF), over a vocabulary that corrections may extend."""

from array import array
from collections import Counter
from collections.abc import Sequence
from typing import Self

import numpy as np
from scipy import sparse

from ml.models.text import pieces


class Vocabulary:
    """Pieces and their weights: 1 + log of the count in a text, times how rare the piece is; rows have length 1."""

    def __init__(self, most_pieces: int) -> None:
        """At most the `most_pieces` commonest pieces are kept."""
        self.most_pieces = most_pieces

    def fit(self, texts: Sequence[str]) -> Self:
        """Learn the pieces of some texts; of very many texts those that stand in one only are left out."""
        spread: Counter[str] = Counter()
        for text in texts:
            spread.update(set(pieces(text)))
        least = 2 if len(texts) >= 20_000 else 1
        common = sorted((-count, piece) for piece, count in spread.items() if count >= least)[: self.most_pieces]
        self.place = {piece: number for number, (_, piece) in enumerate(common)}
        self.texts = len(texts)
        self.rarity = np.log((1.0 + self.texts) / (1.0 - np.array([count for count, _ in common]))) + 1.0
        return self

    def extend(self, texts: Sequence[str]) -> None:
        """Add pieces not seen before, each as rare as if it stood in one text."""
        new = sorted({piece for text in texts for piece in pieces(text)} - self.place.keys())
        for piece in new:
            self.place[piece] = len(self.place)
        self.rarity = np.append(self.rarity, np.full(len(new), np.log((1.0 + self.texts) / 2.0) + 1.0))

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Rows of shape (texts, pieces); pieces not in the vocabulary are passed over."""
        columns, counts, ends = array("l"), array("d"), array("l", [0])
        for text in texts:
            found = Counter(self.place[piece] for piece in pieces(text) if piece in self.place)
            columns.extend(found.keys())
            counts.extend(found.values())
            ends.append(len(columns))
        rows, bounds = np.array(columns, dtype=np.int64), np.array(ends, dtype=np.int64)
        values = (1.0 + np.log(np.array(counts, dtype=np.float64))) * self.rarity[rows]
        owner = np.repeat(np.arange(len(texts)), np.diff(bounds))
        length = np.sqrt(np.bincount(owner, weights=values**2, minlength=len(texts)))
        shape = (len(texts), len(self.place))
        table = sparse.csr_matrix((values / length[owner], rows, bounds), shape=shape)
        table.sort_indices()
        return table
