"""Errors of features. Each keeps its facts as attributes and words them in `__str__`."""

from trivet.kernel.errors import Conflict, InvalidInput, NotFound


class FeatureViewNotFound(NotFound):
    """No feature view has this name, or this version."""

    def __init__(self, name: str, version: int | None = None) -> None:
        super().__init__(name, version)
        self.name = name
        self.version = version

    def __str__(self) -> str:
        of = "" if self.version is None else f" in version {self.version}"
        return f"No feature view {self.name!r}{of}. 'trivet features list' shows those there are."


class FeatureServiceNotFound(NotFound):
    """No feature service has this name, or this version."""

    def __init__(self, name: str, version: int | None = None) -> None:
        super().__init__(name, version)
        self.name = name
        self.version = version

    def __str__(self) -> str:
        of = "" if self.version is None else f" in version {self.version}"
        return (
            f"No feature service {self.name!r}{of}. 'trivet features list' shows those there are."
        )


class FeatureNameTaken(Conflict):
    """A view and a service cannot have one name, since they share `features:<name>`."""

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(name, kind)
        self.name = name
        self.kind = kind

    def __str__(self) -> str:
        return f"{self.name!r} is the name of a feature {self.kind} already; choose another."


class EntityNotOnline(NotFound):
    """The online store has no row of this entity."""

    def __init__(self, view: str, entity: str) -> None:
        super().__init__(view, entity)
        self.view = view
        self.entity = entity

    def __str__(self) -> str:
        return (
            f"{self.view} has no online row for {self.entity!r}. "
            "'trivet features materialize' fills the online store."
        )


class ColumnMissing(InvalidInput):
    """A table lacks a column that a definition names."""

    def __init__(self, table: str, column: str, columns: tuple[str, ...]) -> None:
        super().__init__(table, column, columns)
        self.table = table
        self.column = column
        self.columns = columns

    def __str__(self) -> str:
        return f"{self.table} has no column {self.column!r}; it has {', '.join(self.columns)}."


class ColumnUnusable(InvalidInput):
    """A column does not hold what a definition takes it for."""

    def __init__(self, table: str, column: str, expected: str, found: str) -> None:
        super().__init__(table, column, expected, found)
        self.table = table
        self.column = column
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        return f"{self.table}: column {self.column!r} must be {self.expected}, not {self.found}."


class RequestFieldInvalid(InvalidInput):
    """A field of a request row is absent, or is not what the feature plan takes."""

    def __init__(self, row: int, field: str, problem: str) -> None:
        super().__init__(row, field, problem)
        self.row = row
        self.field = field
        self.problem = problem

    def __str__(self) -> str:
        return f"Row {self.row}: field {self.field!r} {self.problem}."
