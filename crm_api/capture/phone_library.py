"""JsSIP as one file for browsers: npm carries it as CommonJS modules, which are put into one script as they stand."""

import json
import re
from functools import lru_cache
from pathlib import Path

from core.errors import CrmError

_REQUIRED = re.compile(r"""\brequire\(\s*['"]([^'"]+)['"]\s*\)""")
_FRAME = """(() => {
"use strict";
const sources = {%s};
const found = {};
const load = (key) => {
  if (!found[key]) {
    const module = found[key] = { exports: {} }, [run, names] = sources[key];
    run.call(module.exports, module, module.exports, (name) => load(names[name]));
  }
  return found[key].exports;
};
window.JsSIP = load(%s);
})();
"""


class LibraryMissingError(CrmError):
    """A browser library is not installed."""


@lru_cache
def phone_library(libraries: Path) -> str:
    """The script that sets `window.JsSIP`.

    Args:
        libraries: npm's folder (node_modules).

    Raises:
        LibraryMissingError: JsSIP or one of what it needs is not there.
    """
    first = _entry(libraries, "jssip")
    waiting, known, parts = [first], {first}, []
    while waiting:
        path = waiting.pop()
        content = path.read_text(encoding="utf-8")
        names = {}
        if path.suffix == ".json":
            content = f"module.exports = {content};"
        else:
            names = {name: _find(libraries, path, name) for name in _REQUIRED.findall(_uncommented(content))}
        fresh = set(names.values()) - known
        known |= fresh
        waiting += sorted(fresh)
        keys = json.dumps({name: _key(libraries, target) for name, target in names.items()})
        parts.append(
            f"{json.dumps(_key(libraries, path))}: [function (module, exports, require) {{\n{content}\n}}, {keys}]"
        )
    return _FRAME % (",\n".join(parts), json.dumps(_key(libraries, first)))


def _key(libraries: Path, path: Path) -> str:
    return path.relative_to(libraries).as_posix()


def _uncommented(content: str) -> str:
    return re.sub(r"/\*.*?\*/|^\s*//[^\n]*", "", content, flags=re.DOTALL | re.MULTILINE)


def _entry(libraries: Path, package: str) -> Path:
    """The file that browsers get of a package."""
    described = libraries / package / "package.json"
    if not described.exists():
        raise LibraryMissingError(f"The browser library {package!r} is not installed.", "Run: make setup")
    told = json.loads(described.read_text(encoding="utf-8"))
    main = told.get("browser") if isinstance(told.get("browser"), str) else told.get("main", "index.js")
    return _file((described.parent / main).resolve())


def _find(libraries: Path, importer: Path, name: str) -> Path:
    return _file((importer.parent / name).resolve()) if name.startswith(".") else _entry(libraries, name.strip("/"))


def _file(path: Path) -> Path:
    candidates = (path, path.with_name(path.name + ".js"), path / "index.js")
    found = next((each for each in candidates if each.is_file()), None)
    if found is None:
        raise LibraryMissingError(f"The browser library file {path.name!r} is missing.", "Run: make setup")
    return found
