"""Settings: one frozen dataclass, read once by whoever opens an app.

Defaults are overridden by `trivet.yaml` in the working folder, that by `TRIVET_*` in the
environment, and that by the command line.
"""

import getpass
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import yaml

from trivet.kernel.errors import InvalidInput

PROJECT_FILE = "trivet.yaml"


class Origin(StrEnum):
    """Where the value of a setting came from; the later overrides the earlier."""

    DEFAULT = "default"
    FILE = PROJECT_FILE
    ENVIRONMENT = "environment"
    COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where things are kept and who acts.

    Attributes:
        home: The folder that everything is kept in unless a URL says otherwise.
        database: `sqlite:///…` or `postgresql://…`; in the home by default.
        blobs: `file:///…`, `s3://bucket/prefix` or `memory:`; in the home by default.
        tables: A folder or `s3://…` for datasets; in the home by default.
        online: `sqlite:///…` or `redis://…` for online features; in the home by default.
        actor: Who is named in the ledger, as `user:anna`; the system's user by default.
        on_call: Who is told when something breaks; nobody by default, and `trivet ask` says so.
        host: The address that server and gateway listen on; loopback only.
        port: The port of the UI, the API and the protocols.
        gateway_port: The port of predictions.
    """

    home: Path = Path(".trivet")
    database: str = ""
    blobs: str = ""
    tables: str = ""
    online: str = ""
    actor: str = field(default_factory=lambda: f"user:{getpass.getuser()}")
    on_call: str = ""
    host: str = "127.0.0.1"
    port: int = 5050
    gateway_port: int = 5051

    def __post_init__(self) -> None:
        home = self.home.expanduser().absolute()
        in_home = {
            "home": home,
            "database": self.database or f"sqlite:///{home}/trivet.db",
            "blobs": self.blobs or f"file://{home}/blobs",
            "tables": self.tables or str(home / "tables"),
            "online": self.online or f"sqlite:///{home}/online.db",
        }
        for name, value in in_home.items():
            object.__setattr__(self, name, value)

    @property
    def journal(self) -> Path:
        """The folder of the prediction log, with a folder for each gateway in it."""
        return self.home / "journal"

    @property
    def own_database(self) -> Path | None:
        """The database's file if it is in the home, as it is by default."""
        file = self.home / "trivet.db"
        return file if self.database == f"sqlite:///{file}" else None

    @property
    def processes(self) -> Path:
        """The folder where running processes say which ports they took."""
        return self.home / "run"

    @classmethod
    def read(
        cls, environment: Mapping[str, str], *, folder: Path | None = None, **given: Any
    ) -> Self:
        """Return the settings in force.

        Args:
            environment: The environment variables, of which `TRIVET_<NAME>` are read.
            folder: Where to look for `trivet.yaml`; the working folder by default.
            given: What the command line says; None for what it does not say.

        Raises:
            InvalidInput: A setting is unknown or is not of its type.
        """
        file = (folder or Path.cwd()) / PROJECT_FILE
        values: dict[str, Any] = {}
        for said in _say(environment, file, given).values():
            values |= said
        return cls(**{name: _typed(name, value, file.parent) for name, value in values.items()})


_NAMES = tuple(field.name for field in fields(Settings))


def variable_of(name: str) -> str:
    """Return the environment variable of a setting.

    Example:
        >>> variable_of("gateway_port")
        'TRIVET_GATEWAY_PORT'
    """
    return f"TRIVET_{name.upper()}"


def find_origins(
    environment: Mapping[str, str], *, folder: Path | None = None, **given: Any
) -> dict[str, Origin]:
    """Return where each setting that `Settings.read` returns for the same arguments came from."""
    origins = dict.fromkeys(_NAMES, Origin.DEFAULT)
    said = _say(environment, (folder or Path.cwd()) / PROJECT_FILE, given)
    for origin, values in said.items():
        origins |= dict.fromkeys(values, origin)
    return origins


def _say(
    environment: Mapping[str, str], file: Path, given: Mapping[str, Any]
) -> dict[Origin, dict[str, Any]]:
    """Return what each says that can say something, the weakest first."""
    return {
        Origin.FILE: _read_file(file) if file.is_file() else {},
        Origin.ENVIRONMENT: {
            name: environment[variable_of(name)]
            for name in _NAMES
            if environment.get(variable_of(name))
        },
        Origin.COMMAND_LINE: {name: value for name, value in given.items() if value is not None},
    }


def _read_file(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise InvalidInput(f"{file} is not YAML: {error}.") from error
    section = content.get("settings", {}) if isinstance(content, dict) else None
    if not isinstance(section, dict):
        raise InvalidInput(f"{file}: 'settings' must be a mapping of names to values.")
    unknown = sorted(set(section) - set(_NAMES))
    if unknown:
        raise InvalidInput(f"{file}: no setting {unknown[0]!r}; there are {', '.join(_NAMES)}.")
    return section


def _typed(name: str, value: object, folder: Path) -> Any:
    if name in ("port", "gateway_port"):
        try:
            return int(str(value))
        except ValueError:
            raise InvalidInput(f"{name} is {value!r}; expected a port number.") from None
    if name == "home":
        return folder / Path(str(value))
    return str(value)
