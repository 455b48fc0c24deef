"""The IVR's menus as data: read from YAML and refused as a whole if any part could strand a caller."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from core.errors import ConfigurationError
from telephony.ivr.prompts import prompt_names

MENU_FILE = Path(__file__).with_name("menu.yml")
LANGUAGES = ("zh", "en")
REASONS = ("big_customer", "scheduled", "transferred", "long_distance")
#: What each kind of node must have.
_NEEDS = {
    "language": ("prompt", "options", "default", "then"),
    "menu": ("prompt", "options", "default"),
    "queue": ("queue",),
    "fee": ("then",),
    "end": ("prompt",),
}
_KEYS = frozenset("0123456789*#")


@dataclass(frozen=True)
class Node:
    """One place of the menu; which fields are set depends on the kind (menu.yml)."""

    name: str
    kind: str
    prompt: str = ""
    options: dict[str, str] = field(default_factory=dict)
    default: str = ""
    then: str = ""
    queue: str = ""
    service_type: str | None = None


@dataclass(frozen=True)
class Menu:
    """The whole menu, valid."""

    first: str
    nodes: dict[str, Node]
    default_queue: str = "general"
    seconds_for_a_key: float = 5
    tries: int = 2
    priority_queue: str = ""
    points: dict[str, int] = field(default_factory=dict)
    offer_callback_from: int = 3


def load(path: Path = MENU_FILE) -> Menu:
    """The menu of a file.

    Raises:
        ConfigurationError: it is not YAML, or `parse` refuses it; names the file and the node.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f"The IVR's menu {path} cannot be read: {error}.", "Mend it or restore it.") from error
    try:
        return parse(content)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ConfigurationError(f"{path}: {error}.", "See telephony/ivr/menu.yml for the form.") from error


def parse(content: Any) -> Menu:
    """The menu of plain values; ValueError names what is wrong."""
    if not isinstance(content, dict) or not isinstance(content.get("nodes"), dict):
        raise ValueError("it has no nodes")
    nodes = {str(name): _node(str(name), value) for name, value in content["nodes"].items()}
    priority = content.get("priority") or {}
    menu = Menu(
        first=str(content.get("first", "")),
        nodes=nodes,
        default_queue=str(content.get("default_queue", "general")),
        seconds_for_a_key=_positive(content, "seconds_for_a_key", 5),
        tries=int(_positive(content, "tries", 2)),
        priority_queue=str(priority.get("queue", "")),
        points={str(name): int(value) for name, value in (priority.get("points") or {}).items()},
        offer_callback_from=int(_positive(content, "offer_callback_from", 3)),
    )
    _check(menu)
    return menu


def _positive(content: dict[str, Any], name: str, default: float) -> float:
    value = content.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 3600:
        raise ValueError(f"{name} is {value!r}: a number from 1 to 3600 is needed")
    return float(value)


def _node(name: str, value: Any) -> Node:
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind not in _NEEDS:
        raise ValueError(f"node {name} has the kind {kind!r}; it is one of {', '.join(_NEEDS)}")
    lacking = [one for one in _NEEDS[kind] if not value.get(one)]
    if lacking:
        raise ValueError(f"node {name} lacks {', '.join(lacking)}")
    unknown = set(value) - {"kind", "prompt", "options", "default", "then", "queue", "service_type"}
    if unknown:
        raise ValueError(f"node {name} has the unknown field {', '.join(sorted(map(str, unknown)))}")
    options = {str(key): str(target) for key, target in (value.get("options") or {}).items()}
    wrong = [key for key in options if key not in _KEYS]
    if wrong:
        raise ValueError(f"node {name} has an option {wrong[0]!r}: a key of a telephone is needed")
    return Node(name, **{key: one for key, one in value.items() if key not in ("options",)}, options=options)


def _check(menu: Menu) -> None:
    unknown = set(menu.points) - set(REASONS)
    if unknown:
        raise ValueError(f"priority.points names {', '.join(sorted(unknown))}; reasons are {', '.join(REASONS)}")
    if menu.first not in menu.nodes:
        raise ValueError(f"first is {menu.first!r}, which is no node")
    prompts = prompt_names()
    for node in menu.nodes.values():
        if node.prompt and node.prompt not in prompts:
            raise ValueError(f"node {node.name} says {node.prompt!r}, which is not in prompts.yml")
        if node.kind == "language":
            choices, targets = (*node.options.values(), node.default), [node.then]
            wrong = [one for one in choices if one not in LANGUAGES]
            if wrong:
                raise ValueError(f"node {node.name} offers the language {wrong[0]!r}")
        else:
            targets = [one for one in (*node.options.values(), node.default, node.then) if one]
        missing = [one for one in targets if one not in menu.nodes]
        if missing:
            raise ValueError(f"node {node.name} leads to {missing[0]!r}, which is no node")
    _check_ends(menu)


def _check_ends(menu: Menu) -> None:
    """A caller who presses nothing reaches an agent or an end from every node: nobody circles for ever."""
    for start in menu.nodes.values():
        node, seen = start, {start.name}
        while node.kind in ("language", "menu", "fee"):
            node = menu.nodes[node.then or node.default]
            if node.name in seen:
                raise ValueError(f"a caller who presses nothing at node {start.name} never leaves the menu")
            seen.add(node.name)
