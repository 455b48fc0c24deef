"""The part of requirements.lock that the image `operate` needs: what requirements.in names for it, and what that needs.

The lock says of every package who asked for it (`# via`), so nothing is resolved again.
"""

import re
import sys
from pathlib import Path

#: Installs the package itself without asking an index.
_BUILD = {"setuptools", "wheel"}
_NAME = re.compile(r"^([A-Za-z0-9._-]+)")


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(requirements: str) -> set[str]:
    """The packages between the headings `operate` and `analyse`."""
    names, is_in = set(_BUILD), False
    for line in requirements.splitlines():
        if line.startswith("# operate:"):
            is_in = True
        elif line.startswith("# analyse:"):
            is_in = False
        elif is_in and (found := _NAME.match(line)):
            names.add(_key(found[1]))
    return names


def entries(lock: str) -> dict[str, tuple[str, set[str]]]:
    """Package → its lines, and who asked for it."""
    found: dict[str, tuple[str, set[str]]] = {}
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock):
        name = _NAME.match(block)
        if name is None:
            continue
        _, _, via = block.partition("# via")
        askers = {_key(word) for word in re.findall(r"#?\s*([A-Za-z0-9._-]+)", via) if word != "-r"}
        found[_key(name[1])] = (block, askers)
    return found


def operate_lock(requirements: str, lock: str) -> str:
    """The lock's entries of the wanted packages and of all that they need."""
    known, taken = entries(lock), wanted(requirements)
    while more := {name for name, (_, askers) in known.items() if askers & taken} - taken:
        taken |= more
    missing = taken - set(known)
    if missing:
        raise SystemExit(f"requirements.lock lacks {', '.join(sorted(missing))}: make lock")
    return "\n".join(block for name, (block, _) in known.items() if name in taken) + "\n"


if __name__ == "__main__":
    sys.stdout.write(operate_lock(*(Path(name).read_text(encoding="utf-8") for name in sys.argv[1:3])))
