"""Every message that crm_api refuses with, read from its source: constants as they are, values as {a}, {b}, …."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import crm_api

_PACKAGE = Path(crm_api.__file__).parent
#: Told to programmers or to the command line of a migration, never to a reader of the API.
_FOR_PROGRAMMERS = {
    "KeyError",
    "ValueError",
    "TypeError",
    "NotImplementedError",
    "IntegrityError",
    "OperationalError",
    "RuntimeError",
}
#: Tell it in both languages themselves, or are given what another call of this list says.
_TELL_THEMSELVES = {"MissingFieldsError", "EditedMeanwhileError", "UnsoundProcessError"}
_TOLD_BY = ("problem_response", "_refuse", "HTTPException")


def _patterns(node: ast.expr, scope: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        letters = iter("abcdefghij")
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else f"{{{next(letters)}}}" for part in node.values
        )
    elif isinstance(node, ast.IfExp):
        yield from _patterns(node.body, scope)
        yield from _patterns(node.orelse, scope)
    elif isinstance(node, ast.BoolOp):
        for each in node.values:
            yield from _patterns(each, scope)
    elif isinstance(node, ast.Name):
        for assigned in ast.walk(scope):
            if isinstance(assigned, ast.Assign) and any(ast.unparse(one) == node.id for one in assigned.targets):
                yield from _patterns(assigned.value, scope)


def _called(call: ast.Call, scope: ast.AST) -> str:
    name = ast.unparse(call.func).rpartition(".")[2]
    of_error = isinstance(scope, ast.ClassDef) and scope.name.endswith("Error")
    return scope.name if name == "__init__" and of_error and isinstance(scope, ast.ClassDef) else name


def _messages(call: ast.Call, scope: ast.AST) -> Iterator[str]:
    told = [*call.args, *(word.value for word in call.keywords if word.arg in ("mend", "message", "detail"))]
    for argument in told:
        yield from (each for each in _patterns(argument, scope) if each)


def refusals() -> dict[str, str]:
    """Message -> where it stands (file and line)."""
    found: dict[str, str] = {}
    for file in sorted(_PACKAGE.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        scopes = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.ClassDef)]
        for scope in [*scopes, tree]:
            for call in (each for each in ast.walk(scope) if isinstance(each, ast.Call)):
                name = _called(call, scope)
                if name in _FOR_PROGRAMMERS or not (name.endswith("Error") or name in _TOLD_BY):
                    continue
                if name in _TELL_THEMSELVES and not isinstance(scope, ast.ClassDef):
                    continue
                for message in _messages(call, scope):
                    found[_in_order(message)] = f"{file.relative_to(_PACKAGE)}:{call.lineno}"
    return found


def _in_order(message: str) -> str:
    """The places of a message named a, b, … in their order, as wordings name them."""
    letters = iter("abcdefghij")
    return re.sub(r"\{[a-z]\}", lambda _: f"{{{next(letters)}}}", message)
