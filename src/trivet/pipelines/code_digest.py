"""The digest of a function's code, and of the project's code that it uses.

It covers the compiled code, so that a comment or a blank line changes nothing, and the Python
version is part of the environment's digest. Installed packages are covered by that one too.
"""

import hashlib
import sys
import types
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from trivet.kernel.digests import Digest

_Plain = bool | int | float | complex | str | bytes | None
_NO_CODE = {"__module__", "__doc__", "__firstlineno__"}
_INSTALLED = ("site-packages", "dist-packages")


def digest_code(function: Callable[..., Any], project: Path | None = None) -> Digest:
    """Return the digest of the function and of what it refers to in its own project.

    Followed are functions, classes and plain values of the function's module and of modules
    whose file lies in the folder `project`; of such a module itself its whole text counts.

    Args:
        function: The function; decorated ones are followed to what they wrap.
        project: The folder of the user's code, that of the function's file by default.
    """
    where = project or Path(function.__code__.co_filename).resolve().parent
    hasher = hashlib.sha256()
    _Walk(where.resolve(), function.__module__, hasher.update).visit(function)
    return Digest(hasher.hexdigest())


class _Walk:
    """Feeds everything that is reached, once, in the order of the references."""

    def __init__(self, project: Path, module: str, feed: Callable[[bytes], None]) -> None:
        self._project = project
        self._module = module
        self._feed = feed
        self._seen: set[int] = set()

    def visit(self, value: Any) -> None:
        if isinstance(value, _Plain):
            self._say("value", repr(value))
            return
        if id(value) in self._seen:
            self._say("again", getattr(value, "__qualname__", ""))
            return
        self._seen.add(id(value))
        wrapped = getattr(value, "function", None) or getattr(value, "__wrapped__", None)
        if isinstance(wrapped, types.FunctionType) and not isinstance(value, type):
            value = wrapped
        self._visit_object(value)

    def _visit_object(self, value: Any) -> None:
        if isinstance(value, types.FunctionType):
            self._visit_function(value)
        elif isinstance(value, type):
            self._visit_class(value)
        elif isinstance(value, types.ModuleType):
            self._visit_module(value)
        elif isinstance(value, list | tuple | set | frozenset | dict):
            self._visit_container(value)
        else:
            # An object made at import: its class is code, its state is not looked into.
            self._visit_class(type(value))

    def _visit_function(self, function: types.FunctionType) -> None:
        if not self._is_ours(function.__module__, function.__code__.co_filename):
            self._say("foreign", f"{function.__module__}.{function.__qualname__}")
            return
        self._say("function", function.__qualname__)
        self._visit_code(function.__code__)
        self.visit(function.__defaults__)
        self.visit(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            self.visit(cell.cell_contents)
        for name in dict.fromkeys(_names(function.__code__)):
            if name in function.__globals__:
                self._say("name", name)
                self.visit(function.__globals__[name])

    def _visit_code(self, code: types.CodeType) -> None:
        self._feed(code.co_code)
        self._say("names", repr((code.co_names, code.co_varnames, code.co_freevars)))
        self._say("arguments", repr((code.co_argcount, code.co_kwonlyargcount, code.co_flags)))
        self._feed(code.co_exceptiontable)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self._visit_code(constant)
            else:
                self._say("constant", _stable(constant))

    def _visit_class(self, kind: type) -> None:
        if not self._is_ours(kind.__module__, _file_of(kind.__module__)):
            self._say("foreign", f"{kind.__module__}.{kind.__qualname__}")
            return
        self._say("class", kind.__qualname__)
        for base in kind.__bases__:
            self.visit(base)
        for name, value in sorted(vars(kind).items()):
            inner = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
            if isinstance(inner, types.FunctionType | _Plain) and name not in _NO_CODE:
                self._say("member", name)
                self.visit(inner)

    def _visit_module(self, module: types.ModuleType) -> None:
        file = getattr(module, "__file__", None)
        if file and self._is_ours(module.__name__, file):
            self._say("module", _text_digest(file, Path(file).stat().st_mtime_ns))
        else:
            self._say("foreign", module.__name__)

    def _visit_container(self, value: Any) -> None:
        items = list(value.items()) if isinstance(value, dict) else list(value)
        if isinstance(value, set | frozenset):
            items.sort(key=repr)
        self._say(type(value).__name__, str(len(items)))
        for item in items:
            self.visit(item)

    def _is_ours(self, module: str, file: str) -> bool:
        if module == self._module:
            return True
        path = Path(file).resolve() if file else None
        if path is None or any(part in _INSTALLED for part in path.parts):
            return False
        return self._project in path.parents

    def _say(self, what: str, text: str) -> None:
        self._feed(f"\0{what}\0{text}".encode(errors="surrogatepass"))


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _stable(constant: Any) -> str:
    """Return a text of a constant that does not vary with the seed of string hashes."""
    if isinstance(constant, frozenset):
        return f"frozenset({sorted(map(repr, constant))})"
    if isinstance(constant, tuple):
        return f"({', '.join(map(_stable, constant))})"
    return repr(constant)


@cache
def _text_digest(file: str, _changed: int) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def _file_of(module: str) -> str:
    return getattr(sys.modules.get(module), "__file__", None) or ""
