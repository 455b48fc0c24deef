"""The loop as a picture: where each state stands and which way its steps lead; the templates draw it as SVG."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from crm_api.tickets.process import Definition, State, Transition

#: Column and row of each state; a process has no other states than these.
PLACES = {
    "new": (0, 0),
    "dispatched": (1, 0),
    "accepted": (2, 0),
    "in_progress": (3, 0),
    "resolved": (4, 0),
    "in_review": (5, 0),
    "follow_up": (6, 0),
    "closed": (7, 0),
    "returned": (1, 1),
    "pending": (3, 1),
    "cancelled": (7, 1),
}
BOX_WIDTH, BOX_HEIGHT = 118, 100
_COLUMN, _GAP, _LANE, _MARGIN = 142, 64, 19, 14
#: Where lines leave and enter a side: so far from its middle, in turn.
_PORTS = (-36, 36, -18, 18, -50, 50, 0)
_BETWEEN = 22


@dataclass(frozen=True)
class Box:
    """A state in the drawing; `left_by` is who cancels out of it, `problems` what the checker says about it."""

    state: State
    x: float
    y: float
    is_left_for_good: bool = False
    problems: tuple[str, ...] = ()

    @property
    def middle(self) -> float:
        """Its middle, from the left."""
        return self.x + BOX_WIDTH / 2


@dataclass(frozen=True)
class Edge:
    """The steps from one state to another, as one line with the place of its name."""

    source: str
    target: str
    steps: tuple[Transition, ...]
    path: str
    is_back: bool
    label: tuple[float, float] | None
    has_problem: bool = False


@dataclass(frozen=True)
class Drawing:
    """Boxes and lines within a canvas."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


@dataclass
class _Lanes:
    """Horizontal tracks: lines that do not overlap share one."""

    taken: list[list[tuple[float, float]]] = field(default_factory=list)

    def place(self, one: float, other: float) -> int:
        """The lowest track that is free between two places."""
        low, high = min(one, other), max(one, other)
        for number, spans in enumerate(self.taken):
            if all(high < left or low > right for left, right in spans):
                spans.append((low, high))
                return number
        self.taken.append([(low, high)])
        return len(self.taken) - 1


def draw_loop(definition: Definition, *, problem_places: Iterable[str] = ()) -> Drawing:
    """Lay a process out; `problem_places` are codes of states and steps that the checker complains about.

    Cancellation leads from nearly everywhere: it is a mark on the state, not a line.
    """
    troubled = set(problem_places)
    pairs: dict[tuple[str, str], list[Transition]] = defaultdict(list)
    for step in definition.transitions:
        for source in step.sources:
            pairs[source, step.target].append(step)
    present = {state.code for state in definition.states}
    drawn = {
        pair: tuple(steps)
        for pair, steps in pairs.items()
        if set(pair) <= present and pair[0] != pair[1] and pair[1] != "cancelled"
    }
    over = sorted((pair for pair in drawn if _is_over(pair)), key=_distance)
    lanes = _Lanes()
    numbers = {pair: lanes.place(PLACES[pair[0]][0], PLACES[pair[1]][0]) for pair in over}
    top = _MARGIN + _LANE * len(lanes.taken) + 8
    leaves = {source for (source, target) in pairs if target == "cancelled"}
    boxes = {
        state.code: Box(
            state,
            _MARGIN + PLACES[state.code][0] * _COLUMN,
            top + PLACES[state.code][1] * (BOX_HEIGHT + _GAP),
            state.code in leaves,
            (state.code,) if state.code in troubled else (),
        )
        for state in definition.states
    }
    ports, between = _Ports(), _Lanes()
    edges = []
    for pair in [*over, *(pair for pair in drawn if pair not in numbers)]:
        path, label = _path(pair, boxes, ports, between, top - 8 - _LANE * numbers.get(pair, 0))
        bad = any(step.code in troubled for step in drawn[pair])
        edges.append(Edge(*pair, drawn[pair], path, _goes_back(pair), label, bad))
    below = BOX_HEIGHT + _GAP if any(PLACES[code][1] for code in boxes) else 0
    width = _MARGIN * 2 + 7 * _COLUMN + BOX_WIDTH
    return Drawing(width, top + BOX_HEIGHT + below + _MARGIN + 12, tuple(boxes.values()), tuple(edges))


@dataclass
class _Ports:
    """Hands out places along the sides of boxes, so that lines do not lie upon one another."""

    used: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def take(self, box: Box, side: str) -> float:
        """The next place on that side, from the left."""
        number = self.used[box.state.code, side]
        self.used[box.state.code, side] = number + 1
        return box.middle + _PORTS[number % len(_PORTS)]


def _is_over(pair: tuple[str, str]) -> bool:
    """Whether the line runs above the main way: within it, and not just to the next state."""
    (one, row), (other, other_row) = PLACES[pair[0]], PLACES[pair[1]]
    return row == other_row == 0 and other != one + 1


def _distance(pair: tuple[str, str]) -> tuple[int, str, str]:
    return abs(PLACES[pair[0]][0] - PLACES[pair[1]][0]), *pair


def _goes_back(pair: tuple[str, str]) -> bool:
    return pair[1] == "returned" or PLACES[pair[1]][0] < PLACES[pair[0]][0]


def _path(
    pair: tuple[str, str], boxes: dict[str, Box], ports: _Ports, between: _Lanes, lane: float
) -> tuple[str, tuple[float, float] | None]:
    source, target = boxes[pair[0]], boxes[pair[1]]
    column, row = PLACES[pair[0]]
    other_column, other_row = PLACES[pair[1]]
    if row == other_row == 0 and other_column == column + 1:
        middle = source.y + BOX_HEIGHT / 2
        return f"M{source.x + BOX_WIDTH},{middle} H{target.x}", None
    if row == other_row == 0:
        start, end = ports.take(source, "top"), ports.take(target, "top")
        return f"M{start},{source.y} V{lane} H{end} V{target.y}", ((start + end) / 2, lane - 4)
    if row == other_row:
        start, end, low = ports.take(source, "low"), ports.take(target, "low"), source.y + BOX_HEIGHT + 12
        return f"M{start},{source.y + BOX_HEIGHT} V{low} H{end} V{target.y + BOX_HEIGHT}", None
    down = other_row > row
    leave, enter = (source.y + BOX_HEIGHT, target.y) if down else (source.y, target.y + BOX_HEIGHT)
    if column == other_column:
        x = source.middle - _BETWEEN if down else source.middle + _BETWEEN
        return f"M{x},{leave} V{enter}", None
    upper = min(source, target, key=lambda box: box.y).y + BOX_HEIGHT
    start, end = ports.take(source, "side"), ports.take(target, "side")
    y = upper + 16 + _LANE * between.place(column, other_column)
    return f"M{start},{leave} V{y} H{end} V{enter}", ((3 * start + end) / 4, y - 4)
