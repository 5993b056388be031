"""Lance tables by name and version. Branches, messages and history are not Lance's affair here.

The commit graph lives in the database and cites a `TableVersion`. Lance's own branches only keep
lines of writing apart: a write that is not on top of its line starts another, at no cost.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

import lance
import pyarrow as pa

from trivet.kernel.errors import InvalidInput, Unavailable
from trivet.kernel.ids import NewId, new_id
from trivet.kernel.urls import without_secrets

_ROW_IDS_IN_A_DELETE = 10_000
_S3_OPTIONS = {
    "allow_http": "allow_http",
    "endpoint": "aws_endpoint",
    "region": "aws_region",
    "access_key_id": "aws_access_key_id",
    "secret_access_key": "aws_secret_access_key",
    "session_token": "aws_session_token",
    "skip_signature": "aws_skip_signature",
    "virtual_hosted_style_request": "aws_virtual_hosted_style_request",
}
"""What an S3 URL may say, and what Lance calls it; Lance itself ignores what it does not know."""


_PLACE_IN_LANCE = re.compile(r",? */\S+\.rs:\d+(:\d+)?")
"""Where in Lance's own source an error arose, which tells nobody anything here."""


class TablesUnavailable(Unavailable):
    """The table storage did not answer, or could not carry out the request."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return f"The table storage could not carry out the request: {self.detail}."


class _Overtaken(Exception):
    """Another writer was on the same line of writing; ours has to start its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableVersion:
    """An immutable state of a Lance table: a version of one of its lines, None being the first."""

    line: str | None
    number: int


class TableWriter:
    """Applies changes, one Lance version each, and notices when somebody else was in between."""

    def __init__(self, dataset: Any, line: str | None) -> None:
        self._dataset = dataset
        self._line = line
        self._number = int(dataset.version)

    @property
    def at(self) -> TableVersion:
        """The version that the changes so far have led to."""
        return TableVersion(line=self._line, number=self._number)

    def add_columns(self, fields: Sequence[pa.Field]) -> None:
        """Add columns that are null in every row; only metadata is written."""
        self._dataset.add_columns(pa.schema(fields))
        self._step()

    def delete(self, row_ids: Sequence[int]) -> None:
        """Delete rows by Lance row id."""
        for start in range(0, len(row_ids), _ROW_IDS_IN_A_DELETE):
            some = row_ids[start : start + _ROW_IDS_IN_A_DELETE]
            self._dataset.delete(f"_rowid in ({','.join(map(str, some))})")
            self._step()

    def append(self, rows: pa.Table) -> None:
        """Add rows whose keys are not there yet."""
        self._dataset = lance.write_dataset(rows, self._dataset, mode="append")
        self._step()

    def upsert(self, rows: pa.Table, key: Sequence[str]) -> None:
        """Replace the rows that have one of the keys, and add those that are not there yet."""
        merge = self._dataset.merge_insert(list(key))
        merge.when_matched_update_all().when_not_matched_insert_all().execute(rows)
        self._step()

    def overwrite(self, rows: pa.Table) -> None:
        """Make `rows` the whole table, with the schema they have."""
        self._dataset = lance.write_dataset(rows, self._dataset, mode="overwrite")
        self._step()

    def _step(self) -> None:
        self._number += 1
        # Lance rebases a write onto what came in between: right for it, wrong for our commits.
        if int(self._dataset.version) != self._number:
            raise _Overtaken


class LanceTables:
    """The tables below one URL: a folder, or a bucket with a prefix.

    Options of S3 are query parameters, as of a blob store: `s3://bucket/prefix?region=eu-west-1`.
    What the URL does not say, such as credentials, comes from the usual `AWS_…` environment.

    Promises: a version once returned reads the same for ever, also after a crash and after
    clean-up (it is tagged); of several writers on one version each gets a version of its own with
    nothing of the others' in it; on a local disk what is returned has been synced.
    """

    def __init__(self, url: str, new_id: NewId = new_id) -> None:
        self._root, self._options, self._folder = _parse_url(url)
        self._new_id = new_id

    def write(
        self, table: str, base: TableVersion | None, work: Callable[[TableWriter], None]
    ) -> TableVersion:
        """Return the version that `work`, applied on top of `base`, leads to.

        `work` may be called twice: it must do the same each time. With no `base`, its first change
        must be an overwrite.
        """
        before = self._files(table)
        with _errors_translated():
            try:
                writer = self._on_top(table, base)
                work(writer)
            except _Overtaken:
                writer = self._on_own_line(table, base)
                work(writer)
            self._tag(table, writer.at)
        self._sync(table, before)
        return writer.at

    def create(self, table: str, rows: pa.Table) -> TableVersion:
        """Return the first version of a table, which holds `rows`."""
        before = self._files(table)
        uri = self._uri(table)
        try:
            with _errors_translated():
                made = lance.write_dataset(
                    rows,
                    uri,
                    mode="create",
                    enable_stable_row_ids=True,
                    storage_options=self._options,
                )
        except TablesUnavailable:
            if not self._exists(table):
                raise
            # Somebody else was first, or a crash left it behind; either way it is not ours.
            return self.write(table, None, lambda writer: writer.overwrite(rows))
        at = TableVersion(line=None, number=int(made.version))
        with _errors_translated():
            self._tag(table, at)
        self._sync(table, before)
        return at

    def open(self, table: str, at: TableVersion) -> Any:
        """Return the Lance dataset at a version, for DuckDB, Arrow and Polars to read."""
        with _errors_translated():
            return self._dataset(table).checkout_version((at.line, at.number))

    def clean_up(self, table: str, older_than: timedelta) -> int:
        """Remove versions that no commit cites and that are old; return how many."""
        with _errors_translated():
            stats = self._dataset(table).cleanup_old_versions(
                older_than=older_than, error_if_tagged_old_versions=False
            )
        return int(stats.old_versions)

    def _on_top(self, table: str, base: TableVersion | None) -> TableWriter:
        if base is None:
            return self._on_own_line(table, base)
        at_base = self._dataset(table).checkout_version((base.line, base.number))
        if int(at_base.latest_version) != base.number:
            return self._on_own_line(table, base)
        return TableWriter(at_base, base.line)

    def _on_own_line(self, table: str, base: TableVersion | None) -> TableWriter:
        line = f"line-{self._new_id()}"
        start = (None, 1) if base is None else (base.line, base.number)
        dataset = self._dataset(table).checkout_version(start)
        return TableWriter(dataset.create_branch(line, start), line)

    def _tag(self, table: str, at: TableVersion) -> None:
        # Clean-up keeps only what a tag or a line's end names.
        name = f"v-{at.number}" if at.line is None else f"v-{at.number}-{at.line}"
        try:
            self._dataset(table).tags.create(name, (at.line, at.number))
        except ValueError as error:
            if "already exists" not in str(error):
                raise

    def _dataset(self, table: str) -> Any:
        return lance.dataset(self._uri(table), storage_options=self._options)

    def _exists(self, table: str) -> bool:
        try:
            self._dataset(table)
        except (ValueError, OSError):
            return False
        return True

    def _uri(self, table: str) -> str:
        return f"{self._root}/{table}.lance"

    def _files(self, table: str) -> frozenset[str]:
        """Return the paths of a local table's files; Lance never changes one, it adds others."""
        if self._folder is None:
            return frozenset()
        return frozenset(
            f"{folder}/{name}"
            for folder, _folders, files in os.walk(self._folder / f"{table}.lance")
            for name in files
        )

    def _sync(self, table: str, before: frozenset[str]) -> None:
        """Sync the files that were added; Lance itself leaves that to the operating system."""
        added = self._files(table) - before
        for path in (*added, *{str(Path(path).parent) for path in added}):
            # Another writer's file may have been renamed or removed meanwhile; ours stay.
            with suppress(FileNotFoundError):
                _sync_path(path)


def _sync_path(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _parse_url(url: str) -> tuple[str, dict[str, str] | None, Path | None]:
    """Return the root URI, Lance's storage options, and the folder if it is a local one."""
    parts = urlsplit(url)
    if parts.scheme in ("", "file"):
        # Absolute always: a line made through a relative path cannot be read from elsewhere.
        folder = Path(unquote(parts.path)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder), None, folder
    if parts.scheme in ("s3", "gs", "az"):
        given = dict(parse_qsl(parts.query))
        options = _s3_options(parts.netloc, given) if parts.scheme == "s3" else given
        root = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
        return root, options, None
    raise InvalidInput(
        f"{without_secrets(url)!r} is no place for tables; write 'file:///…' or 's3://bucket/…'."
    )


def _s3_options(bucket: str, given: dict[str, str]) -> dict[str, str]:
    if not bucket:
        raise InvalidInput("An S3 URL names a bucket: 's3://bucket/prefix'.")
    unknown = sorted(set(given) - set(_S3_OPTIONS))
    if unknown:
        raise InvalidInput(
            f"Tables in S3 have no option {unknown[0]!r}; there are {', '.join(_S3_OPTIONS)}."
        )
    return {_S3_OPTIONS[name]: value for name, value in given.items()}


@contextmanager
def _errors_translated() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, RuntimeError, pa.ArrowException) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        said = _PLACE_IN_LANCE.sub("", lines[0])
        raise TablesUnavailable(said.rstrip(".")) from error
