"""Pages of deployments: who answers, how far a release is, and on what evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request

from trivet.app import App
from trivet.ledger import Evidence, Fact
from trivet.monitoring import Point, Tally, series
from trivet.rollout import Deployment, Phase, Rollout, RolloutStep
from trivet.rollout.analysis import Analysis, Counts
from trivet.server.ui.latency import latency_percentile
from trivet.server.ui.page import Page
from trivet.serving import GatewayStatus, RevisionSpec, Role, RoutingTable

_MACHINERY = ("weights.verified", "routing.swapped", "revision.created")
_GATEWAY_SILENT_AFTER = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of the traffic, and who answers it."""

    tone: str
    share: float
    revision: int
    model: str

    @property
    def label(self) -> str:
        """The words beside the bar; of a shadow, without its share, since it answers nobody."""
        name = f"#{self.revision} · {self.model.partition(':')[2]}"
        return name if self.tone == "shadow" else f"{name} · {self.share * 100:g} %"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseStep:
    """A step of a rollout: its mark is `done`, `now`, `todo` or `bad`.

    Attributes:
        evidence: The judgement that ended it.
    """

    mark: str
    step: RolloutStep
    evidence: Evidence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A deployment in short."""

    deployment: Deployment
    table: RoutingTable | None
    rollout: Rollout | None
    shares: tuple[Share, ...]
    tally: Tally
    latest: datetime | None
    recent: Point | None
    p50_ms: float | None
    p99_ms: float | None

    @property
    def stable_model(self) -> str | None:
        """The ref of the model version that answers."""
        return self.shares[0].model if self.shares else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A gateway, and whether it serves the newest table."""

    status: GatewayStatus
    serves: int | None
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentsPage:
    """All deployments."""

    deployments: tuple[Summary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentPage:
    """One deployment.

    Attributes:
        active: Whether its newest rollout can still be stopped.
        progress: What the candidate computed since its present step opened.
        steps: Of the newest rollout.
        previous: The revision a rollback would go to, if any.
        by_revision: What each revision did since its first answer.
    """

    summary: Summary
    active: bool
    progress: Counts | None
    steps: tuple[ReleaseStep, ...]
    evidence: tuple[Evidence, ...]
    previous: RevisionSpec | None
    gateways: tuple[Gateway, ...]
    revisions: tuple[RevisionSpec, ...]
    by_revision: tuple[tuple[int, Role, Tally], ...]
    history: tuple[Rollout, ...]
    facts: tuple[Fact, ...]


def load_deployments(app: App, _request: Request) -> DeploymentsPage:
    """Read every deployment in short."""
    return DeploymentsPage(
        deployments=tuple(summarise(app, one) for one in app.deployments.list_deployments())
    )


def load_deployment(app: App, request: Request) -> DeploymentPage:
    """Read one deployment."""
    name = request.path_params["name"]
    summary = summarise(app, app.deployments.get_deployment(name))
    history = app.rollouts.list_rollouts(name, limit=20)
    newest = summary.rollout
    return DeploymentPage(
        summary=summary,
        active=newest is not None and not newest.phase.is_final,
        progress=progress_of(newest),
        steps=release_steps(app, newest),
        evidence=_evidence(app, newest),
        previous=_previous(app, summary, history),
        gateways=_gateways(app, name, summary.table),
        revisions=tuple(app.deployments.list_revisions(name)),
        by_revision=tuple(
            (revision, role, tally)
            for (revision, role), tally in sorted(app.windows.tallies(name).items(), reverse=True)
        ),
        history=tuple(history),
        facts=_facts(app, name),
    )


def summarise(app: App, deployment: Deployment) -> Summary:
    """Read a deployment in short."""
    name = deployment.name
    table = app.routing.find_table(name)
    rollouts = app.rollouts.list_rollouts(name, limit=1)
    latest = app.windows.latest_event(name)
    tally = Tally()
    for (_, role), part in app.windows.tallies(name).items():
        tally = tally + part if role is Role.PRIMARY else tally
    return Summary(
        deployment=deployment,
        table=table,
        rollout=rollouts[0] if rollouts else None,
        shares=shares_of(table) if table else (),
        tally=tally,
        latest=latest,
        recent=_last_week(app, name, latest),
        p50_ms=latency_percentile(tally.latency, 0.5),
        p99_ms=latency_percentile(tally.latency, 0.99),
    )


def shares_of(table: RoutingTable) -> tuple[Share, ...]:
    """Return who answers how much, the stable revision first; a shadow answers nobody."""
    models = {revision.number: revision.model for revision in table.revisions}
    shares = [
        Share(
            tone="stable",
            share=1 - table.weight,
            revision=table.stable,
            model=models[table.stable],
        )
    ]
    if table.candidate is not None:
        candidate = models[table.candidate]
        if table.weight or not table.shadow:
            shares.append(
                Share(
                    tone="candidate",
                    share=table.weight,
                    revision=table.candidate,
                    model=candidate,
                )
            )
        if table.shadow:
            shares.append(
                Share(
                    tone="shadow",
                    share=table.shadow,
                    revision=table.candidate,
                    model=candidate,
                )
            )
    return tuple(shares)


def release_steps(app: App, rollout: Rollout | None) -> tuple[ReleaseStep, ...]:
    """Return the rollout's steps, each with its mark and the evidence that ended it."""
    if rollout is None:
        return ()
    judged = _by_step(_evidence(app, rollout))
    return tuple(
        ReleaseStep(mark=_mark(rollout, position), step=step, evidence=judged.get(position))
        for position, step in enumerate(rollout.spec.steps)
    )


def _by_step(evidence: Sequence[Evidence]) -> dict[int, Evidence]:
    """Return the newest judgement made at each step; `from` names the phase and the step."""
    found: dict[int, Evidence] = {}
    for one in evidence:
        origin = one.inputs.get("from")
        if isinstance(origin, list) and len(origin) == 2 and isinstance(origin[1], int):
            found.setdefault(origin[1], one)
    return found


def _mark(rollout: Rollout, position: int) -> str:
    if position < rollout.step or rollout.phase is Phase.SUCCEEDED:
        return "done"
    if position > rollout.step:
        return "todo"
    stopped = rollout.phase in (Phase.ABORTING, Phase.ROLLED_BACK, Phase.SUPERSEDED)
    return "bad" if stopped else "now"


def _facts(app: App, name: str) -> tuple[Fact, ...]:
    facts = app.ledger.list_facts(subject=f"deployment:{name}*", limit=60, newest_first=True)
    return tuple(
        fact
        for fact in facts
        if fact.kind not in _MACHINERY
        and not (fact.kind == "rule.judged" and fact.payload.get("verdict") != "failed")
    )[:12]


def progress_of(rollout: Rollout | None) -> Counts | None:
    """Return what the candidate computed since its present step opened, while it moves."""
    if rollout is None or rollout.phase.is_final:
        return None
    analysis = Analysis.from_json(rollout.analysis)
    return (analysis.now - analysis.step).trial


def _last_week(app: App, name: str, latest: datetime | None) -> Point | None:
    if latest is None:
        return None
    windows = app.windows.query(name, since=latest - timedelta(days=7), histograms=False)
    points = series(windows, by="week")
    return points[-1] if points else None


def _evidence(app: App, rollout: Rollout | None) -> tuple[Evidence, ...]:
    given = rollout.evidence if rollout else ()
    return tuple(app.ledger.get_evidence(one) for one in reversed(given))


def _previous(app: App, summary: Summary, history: list[Rollout]) -> RevisionSpec | None:
    if summary.table is None:
        return None
    for rollout in history:
        if rollout.candidate == summary.table.stable and rollout.stable is not None:
            return app.deployments.get_revision(summary.deployment.name, rollout.stable)
    return None


def _gateways(app: App, name: str, table: RoutingTable | None) -> tuple[Gateway, ...]:
    now = app.recorder.clock()
    found = []
    for status in app.routing.list_gateways():
        serves = status.generations.get(name)
        if now - status.seen_at > _GATEWAY_SILENT_AFTER:
            state = "lost"
        elif table is not None and serves == table.generation:
            state = "verified"
        else:
            state = "pending"
        found.append(Gateway(status=status, serves=serves, state=state))
    return tuple(sorted(found, key=lambda one: one.status.seen_at, reverse=True)[:12])


PAGES = (
    Page(
        address="/deployments",
        template="deployments/list.html",
        room="deployments",
        load=load_deployments,
    ),
    Page(
        address="/deployments/{name:path}",
        template="deployments/show.html",
        room="deployments",
        load=load_deployment,
    ),
)
