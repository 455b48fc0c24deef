"""A caller's way through the menus, as people read it."""

from core.i18n import Texts


def way_text(path: str | None, text: Texts) -> str:
    """`language 2 > main 3 > complaint complaint` as: English › Complaint; what has no name of its own stays.

    Args:
        path: steps divided by ` > `, each a node and what was chosen there.
        text: the texts of crm_api.routing.
    """
    words = []
    for step in (path or "").split(" > "):
        node, _, choice = step.strip().partition(" ")
        if node == "language":
            words.append(_named(text, f"spoken.{choice}", choice))
        elif node == "priority":
            words.append("+".join(_named(text, f"first.{one}", one) for one in choice.split(",")))
        elif node and not node.endswith("menu") and node != "main":
            words.append(_named(text, f"node.{node}", node))
    return " › ".join(words)


def _named(text: Texts, key: str, otherwise: str) -> str:
    return text(key) if key in text else otherwise
