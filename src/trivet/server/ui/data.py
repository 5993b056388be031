"""Pages of datasets: their history, what a commit looks like, and what changed between two."""

from dataclasses import dataclass

from starlette.requests import Request

from trivet.app import App
from trivet.data import (
    Branch,
    ColumnProfile,
    Commit,
    CommitNotFound,
    Dataset,
    Diff,
    Tag,
    diff_commits,
    profile_commit,
)
from trivet.ledger import Evidence
from trivet.server.ui.graph import Drawing
from trivet.server.ui.lineage import draw_lineage
from trivet.server.ui.page import Page

_LOG = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSummary:
    """A dataset and its newest commit on `main`."""

    dataset: Dataset
    head: Commit | None
    quarantined: tuple[Branch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetsPage:
    """All datasets."""

    datasets: tuple[DatasetSummary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetPage:
    """A dataset at one commit.

    Attributes:
        at: What was asked for: a branch, a tag or a commit.
    """

    dataset: Dataset
    at: str
    commit: Commit | None
    log: tuple[Commit, ...]
    branches: tuple[Branch, ...]
    tags: tuple[Tag, ...]
    profile: tuple[ColumnProfile, ...]
    contract: str | None
    judged: Evidence | None
    lineage: Drawing


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffPage:
    """What changed between two commits."""

    dataset: Dataset
    before: Commit
    after: Commit
    diff: Diff


def load_datasets(app: App, _request: Request) -> DatasetsPage:
    """Read every dataset in short."""
    return DatasetsPage(
        datasets=tuple(_summarise(app, dataset) for dataset in app.datasets.list_datasets())
    )


def load_dataset(app: App, request: Request) -> DatasetPage:
    """Read a dataset at the commit that `?at=` names, `main` by default."""
    name, at = request.path_params["name"], request.query_params.get("at", "main")
    dataset = app.datasets.get(name)
    commit = app.datasets.resolve(name, at) if at != "main" else _head(app, name)
    return DatasetPage(
        dataset=dataset,
        at=at,
        commit=commit,
        log=tuple(app.datasets.log(name, commit.id, limit=_LOG)) if commit else (),
        branches=tuple(app.datasets.list_branches(name)),
        tags=tuple(app.datasets.list_tags(name)),
        profile=tuple(profile_commit(app.datasets, name, commit.id)) if commit else (),
        contract=app.datasets.find_contract(name),
        judged=_judged(app, commit),
        lineage=draw_lineage(app, commit.ref if commit else f"dataset:{name}", depth=4),
    )


def load_diff(app: App, request: Request) -> DiffPage:
    """Read what changed from `?from=` to `?to=`; by default what the newest commit changed."""
    name = request.path_params["name"]
    after = app.datasets.resolve(name, request.query_params.get("to", "main"))
    asked = request.query_params.get("from") or (after.parents[0] if after.parents else after.id)
    before = app.datasets.resolve(name, asked)
    return DiffPage(
        dataset=app.datasets.get(name),
        before=before,
        after=after,
        diff=diff_commits(app.datasets, name, before.id, after.id),
    )


def _head(app: App, name: str) -> Commit | None:
    try:
        return app.datasets.resolve(name)
    except CommitNotFound:
        return None


def _judged(app: App, commit: Commit | None) -> Evidence | None:
    if commit is None or commit.evidence is None:
        return None
    return app.ledger.get_evidence(commit.evidence)


def _summarise(app: App, dataset: Dataset) -> DatasetSummary:
    branches = app.datasets.list_branches(dataset.name)
    return DatasetSummary(
        dataset=dataset,
        head=_head(app, dataset.name),
        quarantined=tuple(b for b in branches if b.name.startswith("quarantine")),
    )


PAGES = (
    Page(address="/data", template="data/list.html", room="data", load=load_datasets),
    Page(address="/data/{name:path}/diff", template="data/diff.html", room="data", load=load_diff),
    Page(address="/data/{name:path}", template="data/show.html", room="data", load=load_dataset),
)
