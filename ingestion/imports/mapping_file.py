"""Reading a mapping file: errors name the field, the value and the mend."""

import difflib
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from core.errors import ConfigurationError
from ingestion.imports.mapping import Mapping

_SHOWN = 60


class _TextLoader(yaml.SafeLoader):
    """YAML whose scalars stay texts ("Yes" and 0010 are values of a file here) and whose keys may not repeat."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A dict; a key written twice is an error that names its line."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is written twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


# No implicit types: what a person writes is compared with the texts of a file.
_TextLoader.yaml_implicit_resolvers = {}


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]


def _known_fields(location: tuple[int | str, ...]) -> list[str]:
    """Fields of the block that holds the last step of `location`."""
    model: type[BaseModel] = Mapping
    for step in location[:-1]:
        if isinstance(step, str) and step in model.model_fields:
            model = next(iter(_models(model.model_fields[step].annotation)), model)
    return list(model.model_fields)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _explain(error: ErrorDetails) -> tuple[str, str]:
    """What is wrong, and its mend, of one error of pydantic."""
    location = error["loc"]
    field = ".".join(str(step) for step in location) or "the mapping"
    kind = error["type"]
    if kind == "extra_forbidden":
        known = _known_fields(location)
        near = difflib.get_close_matches(str(location[-1]), known, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        return f"{field}: this key is not known here.", f"{hint}Known: {', '.join(known)}"
    if kind == "missing":
        return f"{field}: is missing.", "Add it; docs/import.md shows an example."
    message = error["msg"].removeprefix("Value error, ")
    if isinstance(error["input"], dict | list) or not location:
        return f"{field}: {message}.", ""
    return f"{field}: {_shown(error['input'])} {message[0].lower()}{message[1:]}.", ""


def parse_mapping(content: Any, *, name: str) -> Mapping:
    """A checked mapping of what the YAML held; ConfigurationError names each wrong field, its value and the mend."""
    if not isinstance(content, dict):
        raise ConfigurationError(f"The mapping {name} is not a list of keys.", "docs/import.md shows two whole ones.")
    try:
        return Mapping.model_validate(content)
    except ValidationError as error:
        told = [_explain(item) for item in error.errors()]
        lines = [f"{what} {mend}".rstrip() for what, mend in told]
        raise ConfigurationError(
            f"The mapping {name} is wrong:\n  " + "\n  ".join(lines),
            "Mend these and run it again; nothing was read. Every key is explained in docs/import.md.",
        ) from error


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file; ConfigurationError if it is missing, not YAML or wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigurationError(f"There is no mapping file {path}.", "Check the path after --mapping.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The mapping {path} cannot be read: {error}", "It is a UTF-8 text file.") from error
    try:
        content = yaml.load(text, Loader=_TextLoader)  # noqa: S506 - a SafeLoader with fewer types
    except yaml.YAMLError as error:
        raise ConfigurationError(f"The mapping {path} is not YAML: {error}", "Mend the line it names.") from error
    return parse_mapping(content, name=path.name)
