"""The user's code: load a pipeline from its file, and keep the project's source with a run."""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from trivet.kernel.digests import Digest
from trivet.kernel.errors import InvalidInput
from trivet.kernel.extras import ExtraMissing
from trivet.pipelines.errors import PipelineNotFound
from trivet.pipelines.pipeline import Pipeline
from trivet.storage.blobs.store import BlobStore

_NOT_OURS = {"site-packages", "dist-packages", "__pycache__"}


def load_pipeline(spec: str) -> Pipeline:
    """Return the pipeline that `FILE` or `FILE:NAME` names, loading the file as Python does.

    Raises:
        PipelineNotFound: The file has none of this name, or several and none was named.
        InvalidInput: There is no such file, or it cannot be loaded.
    """
    path, _, name = spec.partition(":") if not _is_file(Path(spec)) else (spec, "", "")
    module = load_module(Path(path))
    found = {
        value.name: value
        for value in vars(module).values()
        if isinstance(value, Pipeline) and value.function.__module__ == module.__name__
    }
    if name in found:
        return found[name]
    if name or len(found) != 1:
        raise PipelineNotFound(path, name or None, tuple(sorted(found)))
    return next(iter(found.values()))


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:
        return False  # The name is longer than any file's.


def load_module(file: Path) -> ModuleType:
    """Return the module of a file: of its package where it is in one, else by its bare name."""
    if not _is_file(file):
        raise InvalidInput(f"There is no file {str(file)!r}; write the path of a pipeline's file.")
    path = file.resolve()
    name, root = _module_name(path)
    loaded = sys.modules.get(name)
    if loaded is not None and _is_at(loaded, path):
        return loaded
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    try:
        return _import(name, path)
    except ExtraMissing:
        raise
    except ModuleNotFoundError as error:
        raise InvalidInput(
            f"{str(file)!r} imports {error.name!r}, which is not installed."
        ) from error


def _import(name: str, path: Path) -> ModuleType:
    if "." in name:
        return import_module(name)
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidInput(f"{str(path)!r} is no Python file; a pipeline is written in one.")
    module = module_from_spec(spec)
    sys.modules[name] = module  # Objects of its classes are pickled by this name.
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def load_function(file: Path | None, module: str, qualname: str) -> Callable[..., Any]:
    """Return a step's plain function by its address."""
    found: Any = load_module(file) if file is not None else import_module(module)
    if file is not None and found.__name__ != module:
        found = import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    function: Callable[..., Any] = getattr(found, "function", found)
    return function


def project_sources(file: Path) -> dict[str, Path]:
    """Return the project's loaded Python files by their path within the folder of `file`."""
    folder = file.resolve().parent
    found = {file.name: file.resolve()}
    is_near: dict[str, bool] = {}
    for module in list(sys.modules.values()):
        origin = getattr(module, "__file__", None)
        if not origin or not origin.endswith(".py"):
            continue
        # Hundreds of modules lie in a few folders, most of them none of the project's.
        place = origin.rpartition(os.sep)[0]
        if place not in is_near:
            is_near[place] = Path(place).resolve().is_relative_to(folder)
        if not is_near[place]:
            continue
        path = Path(origin).resolve()
        if folder in path.parents and not _NOT_OURS.intersection(path.parts):
            inside = path.relative_to(folder)
            if not any(part.startswith(".") for part in inside.parts):
                found[inside.as_posix()] = path
    return dict(sorted(found.items()))


def keep_sources(file: Path | None, blobs: BlobStore) -> dict[str, Digest]:
    """Store the project's sources as blobs, and return their digests by path."""
    if file is None:
        return {}
    return {name: blobs.put(path.read_bytes()) for name, path in project_sources(file).items()}


def restore_sources(sources: dict[str, Digest], blobs: BlobStore, folder: Path) -> None:
    """Write the sources of a run into `folder`, and make Python forget modules of their names."""
    for name, digest in sources.items():
        file = folder / name
        if not file.resolve().is_relative_to(folder.resolve()):
            raise InvalidInput(f"{name!r} lies outside of the project; it is not restored.")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(blobs.get(digest))
        module = name.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        sys.modules.pop(module, None)


def package_of(file: Path) -> str | None:
    """Return the package that a file is part of, or None for a file on its own."""
    return _module_name(file.resolve())[0].rpartition(".")[0] or None


def _module_name(path: Path) -> tuple[str, Path]:
    """Return the dotted name of a file and the folder that it is imported from."""
    parts = [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts), folder


def _is_at(module: ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == path
