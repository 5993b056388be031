"""Pages of models: versions, the gates that admitted them, and where they came from."""

from dataclasses import dataclass

from starlette.requests import Request

from trivet.app import App
from trivet.ledger import Evidence, Verdict
from trivet.registry import Alias, Model, ModelVersion
from trivet.server.ui.charts import Axis, Chart, line
from trivet.server.ui.graph import Drawing
from trivet.server.ui.lineage import draw_lineage
from trivet.server.ui.page import Page

_CHARTED = ("auc", "test_auc", "accuracy")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """A model, its newest version and the pointers to its versions."""

    model: Model
    newest: ModelVersion | None
    versions: int
    aliases: tuple[Alias, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsPage:
    """All models."""

    models: tuple[ModelSummary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """A version in a list: what it measured and how its gates went."""

    version: ModelVersion
    aliases: tuple[str, ...]
    passed: int
    judged: int
    forced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPage:
    """A model and its versions.

    Attributes:
        metrics: The names of metrics that every version has, for the table's columns.
    """

    model: Model
    aliases: tuple[Alias, ...]
    versions: tuple[VersionRow, ...]
    metrics: tuple[str, ...]
    by_version: Chart


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPage:
    """One version, whole."""

    version: ModelVersion
    aliases: tuple[Alias, ...]
    gates: tuple[Evidence, ...]
    passed: int
    verdict: Verdict
    deployments: tuple[str, ...]
    lineage: Drawing


def load_models(app: App, _request: Request) -> ModelsPage:
    """Read every model in short."""
    return ModelsPage(models=tuple(_summarise(app, model) for model in app.models.list_models()))


def load_model(app: App, request: Request) -> ModelPage:
    """Read a model and its versions."""
    model = app.models.get_model(request.path_params["name"])
    versions = app.models.list_versions(model.name)
    aliases = app.models.list_aliases(model.name)
    shared = set.intersection(*(set(v.content.metrics) for v in versions)) if versions else set()
    return ModelPage(
        model=model,
        aliases=tuple(aliases),
        versions=tuple(_row(app, version, aliases) for version in versions),
        metrics=tuple(sorted(shared))[:6],
        by_version=_by_version(versions),
    )


def load_version(app: App, request: Request) -> VersionPage:
    """Read one version, named by number or alias."""
    name, asked = request.path_params["name"], request.path_params["version"]
    version = app.models.get_version(name, int(asked) if asked.isdecimal() else asked)
    gates = tuple(app.ledger.get_evidence(one) for one in version.content.evidence)
    edges = app.ledger.list_edges(version.ref, upstream=False, depth=1)
    return VersionPage(
        version=version,
        aliases=tuple(a for a in app.models.list_aliases(name) if a.version == version.version),
        gates=gates,
        passed=sum(gate.verdict is Verdict.PASSED for gate in gates),
        verdict=_verdict(gates),
        deployments=tuple(dict.fromkeys(edge.to_ref for edge in edges)),
        lineage=draw_lineage(app, version.ref),
    )


def _verdict(gates: tuple[Evidence, ...]) -> Verdict:
    """Return what the gates come to together; none at all is no pass (I12)."""
    if not gates:
        return Verdict.NO_DATA
    found = {gate.verdict for gate in gates}
    if Verdict.FORCED in found:
        return Verdict.FORCED
    return Verdict.PASSED if found == {Verdict.PASSED} else Verdict.FAILED


def _summarise(app: App, model: Model) -> ModelSummary:
    versions = app.models.list_versions(model.name)
    return ModelSummary(
        model=model,
        newest=versions[0] if versions else None,
        versions=len(versions),
        aliases=tuple(app.models.list_aliases(model.name)),
    )


def _row(app: App, version: ModelVersion, aliases: list[Alias]) -> VersionRow:
    gates = [app.ledger.get_evidence(one) for one in version.content.evidence]
    return VersionRow(
        version=version,
        aliases=tuple(alias.alias for alias in aliases if alias.version == version.version),
        passed=sum(gate.verdict is Verdict.PASSED for gate in gates),
        judged=len(gates),
        forced=any(gate.verdict is Verdict.FORCED for gate in gates),
    )


def _by_version(versions: list[ModelVersion]) -> Chart:
    ordered = sorted(versions, key=lambda one: one.version)
    series = [
        line(name, [(f"v{v.version}", v.content.metrics.get(name)) for v in ordered])
        for name in _CHARTED
        if any(name in v.content.metrics for v in ordered)
    ]
    return Chart(axis=Axis.NAME, x_name="version", series=tuple(series))


PAGES = (
    Page(address="/models", template="models/list.html", room="models", load=load_models),
    Page(
        address="/models/{name:path}/versions/{version}",
        template="models/version.html",
        room="models",
        load=load_version,
    ),
    Page(
        address="/models/{name:path}", template="models/show.html", room="models", load=load_model
    ),
)
