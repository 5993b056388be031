"""The page of one prediction: what was asked and answered, and the whole chain behind it."""

from bisect import bisect_right
from dataclasses import dataclass

from starlette.requests import Request

from trivet.app import App
from trivet.data import Commit
from trivet.kernel.errors import NotFound
from trivet.kernel.refs import Ref
from trivet.ledger import Edge, Evidence, Verdict
from trivet.monitoring import Answer, AnswerNotFound, Reference, References
from trivet.registry import ModelVersion
from trivet.server.ui.graph import Drawing
from trivet.server.ui.lineage import draw_edges
from trivet.server.ui.page import Page
from trivet.serving import RevisionSpec, find_prediction
from trivet.serving.records import Prediction
from trivet.tracking import Run, RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A number the model was given.

    Attributes:
        source: The ref of the feature view it came from; None where the request brought it.
        bin: Where it lies among the bins of the training rows, from 0; None without a reference.
        bins: How many of those there are.
    """

    name: str
    value: float | None
    source: str | None
    bin: int | None
    bins: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionPage:
    """One prediction and what it rests on.

    Attributes:
        answer: What monitoring remembers, the outcome among it; None once it is forgotten.
        passed: How many of the model version's gates passed, of how many.
        reproduction: The newest certificate of the run that trained the model.
    """

    prediction: Prediction
    answer: Answer | None
    revision: RevisionSpec
    threshold: float
    features: tuple[Given, ...]
    version: ModelVersion | None
    passed: int
    judged: int
    run: Run | None
    commits: tuple[Commit, ...]
    reproduction: Evidence | None
    lineage: Drawing


def load_prediction(app: App, request: Request) -> PredictionPage:
    """Read one prediction, and its chain as far as the records go."""
    prediction = find_prediction(app.settings.journal, request.path_params["id"])
    revision = app.deployments.get_revision(prediction.deployment, prediction.revision)
    version = _find_version(app, revision)
    run = None if version is None else _find_run(app, version.content.run)
    gates = [app.ledger.get_evidence(one) for one in version.content.evidence] if version else []
    return PredictionPage(
        prediction=prediction,
        answer=_find_answer(app, prediction.id),
        revision=revision,
        threshold=float(revision.signature.get("threshold", 0.5)),
        features=_given(prediction, revision, References(app.blobs).find(revision)),
        version=version,
        passed=sum(gate.verdict is Verdict.PASSED for gate in gates),
        judged=len(gates),
        run=run,
        commits=_commits(app, version),
        reproduction=_certificate(app, run),
        lineage=_draw(app, prediction, revision),
    )


def _find_version(app: App, revision: RevisionSpec) -> ModelVersion | None:
    ref = Ref.parse(revision.model)
    try:
        return app.models.get_version(ref.name, int(ref.version or 0))
    except NotFound:
        return None


def _find_run(app: App, run_id: str) -> Run | None:
    try:
        return app.runs.get_run(RunId(run_id))
    except NotFound:
        return None


def _find_answer(app: App, prediction_id: str) -> Answer | None:
    try:
        return app.windows.get_answer(prediction_id)
    except AnswerNotFound:
        return None


def _given(
    prediction: Prediction, revision: RevisionSpec, reference: Reference | None
) -> tuple[Given, ...]:
    names = revision.signature.get("inputs", ())
    plan = revision.signature.get("plan") or {}
    views = {one["name"]: one.get("view") for one in plan.get("inputs", ())}
    return tuple(
        _place(name, value, views.get(name), reference)
        for name, value in zip(names, prediction.features, strict=False)
    )


def _place(name: str, value: float | None, view: str | None, reference: Reference | None) -> Given:
    known = None if reference is None else reference.features.get(name)
    edges = [] if known is None else known.edges.tolist()
    return Given(
        name=name,
        value=value,
        source=f"features:{view}" if view else None,
        bin=None if known is None or value is None else bisect_right(edges, value),
        bins=len(edges) + 1,
    )


def _commits(app: App, version: ModelVersion | None) -> tuple[Commit, ...]:
    found = []
    for ref in version.content.datasets if version else ():
        parsed = Ref.parse(ref)
        try:
            found.append(app.datasets.resolve(parsed.name, parsed.version or "main"))
        except NotFound:
            continue
    return tuple(found)


def _certificate(app: App, run: Run | None) -> Evidence | None:
    if run is None:
        return None
    found = app.ledger.list_evidence(subject=run.ref, kind="reproduction", limit=1)
    return found[0] if found else None


def _draw(app: App, prediction: Prediction, revision: RevisionSpec) -> Drawing:
    ref = f"prediction:{prediction.id}"
    edges = app.ledger.list_edges(revision.ref, upstream=True, depth=6)
    return draw_edges(ref, [Edge(from_ref=revision.ref, to_ref=ref, role="answers"), *edges])


PAGES = (
    Page(
        address="/ref/prediction:{id}",
        template="refs/prediction.html",
        room="lineage",
        load=load_prediction,
    ),
)
