"""A home with the life of one model in it, made through the real stores, to look at pages on.

`python tests/browser/seed.py DIR` makes one to look at by hand, with `trivet --home DIR server`.
"""

import json
import random
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from trivet.app import App
from trivet.control import RepairPhase
from trivet.data import quarantine
from trivet.features import (
    Aggregate,
    FeatureService,
    FeatureView,
    RequestFeature,
    Rolling,
    TimePart,
)
from trivet.kernel.digests import Digest, digest_bytes
from trivet.kernel.ids import Uuid7
from trivet.ledger import Edge, Recorder, Verdict
from trivet.monitoring import Answer, Batch, FeatureHour, NewAlert, Outcome, RuleState, playbook
from trivet.pipelines import How, Workspace, pipeline, run, step
from trivet.registry import ModelVersion, NewVersion, Signature
from trivet.rollout import CONTROLLER_LEASE, RolloutEngine, deploy
from trivet.serving import JournalWriter, Prediction, Role, Status
from trivet.settings import Settings
from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate
from trivet.tracking import Metric, RunStatus
from trivet.tracking import Outcome as Conclusion

CARRIERS = ("UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "HA")
ORIGINS = ("EWR", "JFK", "LGA")
EVENTS = datetime(2013, 3, 1, tzinfo=UTC)
PLAYBOOK = """\
Look at [the facts](/ledger), **then** roll back:

1. `trivet rollback delay`
2. Find out why.

<script>alert(1)</script>
"""
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: flights
name: Flights that leave New York City
version: 1.0.0
status: active
schema:
  - name: flights
    logicalType: object
    properties:
      - {name: flight_id, logicalType: string, required: true, unique: true}
      - {name: scheduled_at, logicalType: timestamp, required: true}
      - {name: carrier, logicalType: string, required: true}
      - name: dep_delay
        logicalType: integer
        logicalTypeOptions: {minimum: -120, maximum: 2880}
        quality:
          - {type: library, metric: nullValues, mustBeLessThan: 25, unit: percent}
"""


@dataclass(frozen=True)
class Site:
    """A server that answers at `url`, over the home of `settings`."""

    url: str
    settings: Settings

    def open(self) -> App:
        return App.open(self.settings)


@dataclass
class Clock:
    """A clock that goes on when told to."""

    now: datetime
    rng: random.Random = field(default_factory=lambda: random.Random(7))

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def skip(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)


def seed_home(home: Path, now: datetime) -> Settings:
    """Make a home whose last fact is a few seconds before `now`."""
    settings = Settings(home=home, actor="user:anna", on_call="anna (operations)")
    home.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database)
    migrate(database)
    clock = Clock(now - timedelta(hours=6))
    ids = Uuid7(clock, clock.rng)
    with App(settings, database, Recorder(settings.actor, clock, ids)) as app:
        Story(app, clock).tell(now)
    return settings


@dataclass
class Story:
    """What happened in the home."""

    app: App
    clock: Clock

    def tell(self, now: datetime) -> None:
        """Write all of it."""
        self.data()
        self.features()
        self.experiments()
        self.train()
        first = self.register(0.722, "Logistic regression: the baseline.")
        second = self.register(0.741, "LightGBM on rolling delays.")
        deploy(self.app, "delay", first.ref, unit="carrier", force_reason=None)
        self.report()
        self.clock.skip(20)
        self.answer(1, weeks=5, skill=0.8)
        self.release(second, weights=True)
        self.answer(2, weeks=9, skill=0.85, start=5)
        self.alert_and_repair()
        self.rules()
        self.reproduce(second)
        third = self.register(0.748, "Trained anew after the alert.")
        self.clock.now = max(self.clock.now, now - timedelta(minutes=6))
        deploy(self.app, "delay", third.ref, strategy="canary")
        self.step_on(3)
        self.app.ledger.seal()
        self.clock.now = max(self.clock.now, now - timedelta(seconds=3))
        self.report()

    def data(self) -> None:
        store = self.app.datasets
        store.create(
            "flights",
            key=("flight_id",),
            event_time="scheduled_at",
            description="Flights that left New York City, with how they arrived.",
            owner="operations",
        )
        store.set_contract("flights", CONTRACT)
        for week in range(4):
            store.commit("flights", flights(week), message=f"Week {week + 1} of January")
            self.clock.skip(6)
        corrected = flights(1, rows=60, shift=7)
        store.commit("flights", corrected, message="Corrections from the tower")
        bad = flights(5, rows=200, broken=True)
        quarantine(store, "flights", bad, message="30 % nulls and times in the wrong unit")
        for name, key in (("weather", "hour"), ("planes", "tailnum")):
            store.create(name, key=(key,), description=f"The {name} of 2013.", owner="operations")
            rows = pa.table({key: [f"{name}{i}" for i in range(500)], "value": range(500)})
            store.commit(name, rows, message="As it came")
        store.create("airports", key=("code",), description="Nothing committed yet.")

    def features(self) -> None:
        for name, entity in (("by_carrier", ("carrier",)), ("by_route", ("origin", "dest"))):
            rolling = tuple(
                Rolling(
                    name=f"{name}_late_{hours}h",
                    column="late",
                    function=Aggregate.MEAN,
                    window=timedelta(hours=hours),
                )
                for hours in (3, 24, 168)
            )
            view = self.app.features.apply(
                FeatureView(
                    name=name,
                    entity=entity,
                    source="flights",
                    event_time="scheduled_at",
                    created_time="known_at",
                    rolling=rolling,
                    ttl=timedelta(days=8),
                    description=f"Share late, by {' and '.join(entity)}, as known at the moment.",
                    owner="operations",
                )
            )
            assert isinstance(view, FeatureView)
            head = self.app.datasets.resolve("flights")
            self.app.features.record_materialization(
                view, head.ref, rows=len(CARRIERS) * len(entity) * 8, until=EVENTS
            )
        self.app.features.apply(
            FeatureService(
                name="delay",
                views=(("by_carrier", ()), ("by_route", ())),
                request=(
                    RequestFeature(name="hour", part=TimePart.HOUR),
                    RequestFeature(name="distance", column="distance"),
                ),
            )
        )

    def experiments(self) -> None:
        app = self.app
        app.experiments.create_experiment(
            "delay",
            objective="Tell at departure whether a flight will arrive late.",
            hypothesis="Rolling delays of carrier and route say more than the schedule.",
            owner="operations",
            kill_criteria=("AUC below 0.65 after two weeks",),
        )
        app.experiments.create_experiment("embeddings", objective="Learn routes as vectors.")
        rng = np.random.default_rng(3)
        for number, rate in enumerate((0.3, 0.1, 0.03)):
            made = app.runs.create_run("delay", name=f"lightgbm, rate {rate}")
            app.runs.log(made.id, params={"learning_rate": str(rate), "leaves": "31", "seed": "7"})
            curve = 0.52 + 0.1 * np.exp(-np.arange(120) * rate / 8) + rng.normal(0, 0.002, 120)
            metrics = [
                Metric(key="log_loss", value=float(v), step=i, at=self.clock())
                for i, v in enumerate(curve)
            ]
            metrics += [
                Metric(key="auc", value=0.70 + 0.015 * number, step=0, at=self.clock()),
                Metric(key="accuracy", value=0.761 + 0.008 * number, step=0, at=self.clock()),
            ]
            app.runs.log(made.id, metrics=metrics, tags={"team": "operations"})
            self.clock.skip(1.5)
            app.runs.finish_run(made.id, RunStatus.FINISHED)
        failed = app.runs.create_run("embeddings", name="dim 512")
        trace = "Traceback (most recent call last):\n  …\nMemoryError: 12.4 GB asked for"
        app.runs.finish_run(failed.id, RunStatus.FAILED, trace)
        app.experiments.conclude("embeddings", Conclusion.REFUTED, "No gain over rolling delays.")

    def train(self) -> None:
        app = self.app
        workspace = Workspace(
            runs=app.runs,
            blobs=app.blobs,
            cache=app.steps,
            spill=app.settings.home / "spill",
            home=app.settings.home,
            clock=self.clock,
        )
        for _ in range(2):
            run(train_delay, {"rows": 4000}, workspace=workspace, how=How(experiment="delay"))
            self.clock.skip(2)

    def register(self, auc: float, description: str) -> ModelVersion:
        app = self.app
        made = app.runs.create_run("delay", name="train", inputs=[(self.flights, "train")])
        app.runs.log(made.id, metrics=[Metric(key="auc", value=auc, step=0, at=self.clock())])
        self.clock.skip(0.7)
        app.runs.finish_run(made.id, RunStatus.FINISHED)
        gates = [
            app.ledger.judge(
                "gate",
                made.ref,
                Verdict.PASSED,
                f"{name} {value} is within its bound of {bound}.",
                inputs={"gate": name},
                numbers={"value": value, "bound": bound, "rows": 41_200},
            ).id
            for name, value, bound in (
                ("AUC", auc, 0.7),
                ("Worst slice, carrier=EV", round(auc - 0.06, 3), 0.62),
                ("Latency per row in ms", 0.08, 1.0),
                ("Disagreement of the ONNX export", 3e-7, 1e-5),
                ("Change under small shifts", 0.004, 0.02),
            )
        ]
        content = NewVersion(
            run=made.id,
            format="onnx",
            artifacts={
                "model.onnx": digest_bytes(f"onnx{auc}".encode()),
                "golden.arrow": digest_bytes(b"golden"),
                "reference.json": self.reference(),
            },
            signature=Signature(
                inputs=("hour", "distance", "by_carrier_late_24h", "by_route_late_24h"),
                request={"carrier": "string", "origin": "string", "distance": "number"},
                slices=("carrier", "origin"),
            ),
            datasets=(self.flights,),
            features=("features:by_carrier@1", "features:by_route@1"),
            code={"commit": "4f0c9b1e", "dirty": False, "entry": "pipeline.py:train"},
            environment=digest_bytes(b"environment"),
            params={"learning_rate": 0.05, "leaves": 31},
            metrics={"auc": auc, "accuracy": round(auc + 0.05, 4), "log_loss": 0.49},
            seed=7,
            evidence=tuple(gates),
            description=description,
        )
        self.clock.skip(1)
        return app.models.register("delay", content)

    @property
    def flights(self) -> str:
        return self.app.datasets.resolve("flights").ref

    def reference(self) -> Digest:
        feature = {
            "edges": [float(i) for i in range(1, 10)],
            "counts": [400] * 10,
            "missing": 0.02,
        }
        names = ("hour", "distance", "by_carrier_late_24h", "by_route_late_24h")
        said = {
            "rows": 4000,
            "features": dict.fromkeys(names, feature),
            "log_loss": 0.47,
            "base_rate": 0.24,
            "accuracy": 0.785,
        }
        return self.app.blobs.put(json.dumps(said).encode())

    def report(self) -> None:
        table = self.app.routing.find_table("delay")
        assert table is not None
        for gateway in ("main", "second"):
            self.app.routing.report(gateway, "http://127.0.0.1:5051", {"delay": table.generation})

    def step_on(self, times: int) -> None:
        lease = self.app.leases.acquire(CONTROLLER_LEASE, "seed", timedelta(days=1))
        assert lease is not None
        engine = RolloutEngine(self.app)
        for _ in range(times):
            self.report()
            engine.tick(lease.fence, self.app.windows.tallies)
            self.clock.skip(0.2)

    def release(self, version: ModelVersion, *, weights: bool) -> None:
        deploy(self.app, "delay", version.ref, strategy="direct")
        self.report()
        self.clock.skip(3)

    def answer(self, revision: int, *, weeks: int, skill: float, start: int = 0) -> None:
        """Give a few thousand answers with their outcomes; later weeks get worse."""
        rng = np.random.default_rng(revision)
        answers, outcomes, hours = [], [], []
        for week in range(start, start + weeks):
            worse = 0.1 if week >= 10 else 0.0
            for day in range(7):
                hour = EVENTS + timedelta(weeks=week, days=day, hours=9)
                for number in range(24):
                    made = self._answer(revision, hour + timedelta(minutes=number), rng)
                    answers.append(made)
                    if rng.random() < 0.93 and made.status is Status.OK:
                        chance = (
                            skill - worse - (0.12 if "origin=LGA" in made.slices and worse else 0)
                        )
                        right = rng.random() < chance
                        truth = made.label if right else 1 - (made.label or 0)
                        outcomes.append(
                            Outcome(
                                request=made.id,
                                deployment="delay",
                                at=made.at,
                                event_at=made.event_at + timedelta(hours=4),
                                outcome=float(truth or 0),
                            )
                        )
                counts = {
                    name: np.array([2 + (shift if i > 5 else 0) for i in range(10)] + [1])
                    for name, shift in (("hour", 0), ("distance", 1), ("by_carrier_late_24h", 4))
                }
                hours.append(
                    FeatureHour(deployment="delay", revision=revision, hour=hour, counts=counts)
                )
        position, expected = self.app.windows.position()
        self.app.windows.add(
            Batch(
                answers=answers,
                outcomes=outcomes,
                features=hours,
                position={**position, f"{revision}": 1},
                expected=expected,
            )
        )

    def _answer(self, revision: int, event_at: datetime, rng: np.random.Generator) -> Answer:
        carrier = str(
            rng.choice(CARRIERS, p=(0.2, 0.16, 0.16, 0.14, 0.1, 0.1, 0.06, 0.05, 0.025, 0.005))
        )
        origin = str(rng.choice(ORIGINS))
        output = float(rng.beta(1.6, 4))
        request = self.app.recorder.new_id()
        failed = rng.random() < 0.003
        return Answer(
            id=request,
            request=request,
            deployment="delay",
            revision=revision,
            role=Role.PRIMARY,
            status=Status.ERROR if failed else Status.OK,
            at=self.clock(),
            event_at=event_at,
            output=None if failed else output,
            label=None if failed else int(output >= 0.5),
            latency_ms=float(rng.gamma(3, 0.35)),
            primary_label=None,
            outcome=None,
            slices=(f"carrier={carrier}", f"origin={origin}"),
        )

    def alert_and_repair(self) -> None:
        app = self.app
        found = app.ledger.judge(
            "harm",
            "deployment:delay#2",
            Verdict.FAILED,
            "Normalised log loss 1.041 over 1,212 outcomes (ceiling 0.97): worse than at "
            "training time, by more than chance.",
            inputs={"deployment": "delay", "window_days": 7},
            numbers={
                "normalised_log_loss": 1.041,
                "ceiling": 0.97,
                "labelled": 1212,
                "accuracy": 0.712,
            },
        )
        samples = self.samples()
        summary = "The model does worse than at training time: accuracy 71.2 % over 7 days."
        alert = app.alerts.open(
            NewAlert(
                deployment="delay",
                rule="harm",
                severity="page",
                summary=summary,
                evidence=found.id,
                harm_at=self.clock() - timedelta(minutes=2),
                samples=samples,
                playbook=PLAYBOOK,
                detail={"event_at": "2013-05-20T09:00:00Z"},
            )
        )
        self.clock.skip(3)
        app.alerts.triage(alert.id)
        repair = app.repairs.start(
            "delay", cause="harm", alert=alert.id, event_at=EVENTS, reason=summary
        )
        self.clock.skip(1)
        repair = app.repairs.advance(repair, RepairPhase.TRAINING, "Trains on data until 20 May.")
        self.clock.skip(2)
        app.repairs.advance(
            repair, RepairPhase.DONE, "delay@2 answers everybody.", model="model:delay@2"
        )
        app.alerts.confirm(alert.id, action="Control trained and released model:delay@2.")
        self.clock.skip(4)
        drifted = app.ledger.judge(
            "no_labels",
            "deployment:delay#2",
            Verdict.FAILED,
            "The outcome of 312 of 901 matured answers is known.",
            numbers={"answered": 901, "labelled": 312, "limit": 0.5},
        )
        app.alerts.open(
            NewAlert(
                deployment="delay",
                rule="no_labels",
                severity="ticket",
                summary="Outcomes come in for 35 % of the answers that should have one.",
                evidence=drifted.id,
                harm_at=self.clock(),
                playbook=playbook(
                    "no_labels",
                    deployment="delay",
                    revision=2,
                    samples=samples,
                    evidence=drifted.id,
                ),
                samples=samples,
            )
        )

    def samples(self) -> tuple[str, ...]:
        writer = JournalWriter(self.app.settings.journal / "main", self.clock)
        made = [
            Prediction(
                id=self.app.recorder.new_id(),
                at=self.clock(),
                event_at=EVENTS + timedelta(days=80, minutes=number),
                deployment="delay",
                revision=2,
                generation=2,
                role=Role.PRIMARY,
                status=Status.OK if number else Status.ERROR,
                unit="UA",
                inputs={"carrier": "UA", "origin": "LGA", "dest": "IAH", "distance": 1416},
                features=[9.0, 1416.0, 0.21, None],
                output=0.31 if number else None,
                label=0 if number else None,
                latency_ms=1.4,
                error=None if number else "distance is missing",
            )
            for number in range(3)
        ]
        writer.append(made)
        writer.close()
        return tuple(prediction.id for prediction in made)

    def rules(self) -> None:
        app = self.app
        for rule, verdict, summary in (
            (
                "harm",
                Verdict.FAILED,
                "Normalised log loss 1.041 over 1,212 outcomes (ceiling 0.97).",
            ),
            ("errors", Verdict.PASSED, "3 of 1,008 answers failed; 1.0 % is tolerated."),
            ("drift", Verdict.INCONCLUSIVE, "1 feature has moved: by_carrier_late_24h (0.31)."),
            ("invalid", Verdict.LEARNING, "12 of 100 answers needed were asked."),
        ):
            found = app.ledger.judge(rule, "deployment:delay#2", verdict, summary)
            app.alerts.put_states(
                [
                    RuleState(
                        deployment="delay",
                        rule=rule,
                        verdict=verdict,
                        summary=summary,
                        numbers={"revision": 2, "requests": 1008},
                        evidence=found.id,
                        at=self.clock(),
                        event_at=EVENTS + timedelta(weeks=13),
                    )
                ]
            )

    def reproduce(self, version: ModelVersion) -> None:
        self.app.ledger.judge(
            "reproduction",
            f"run:{version.content.run}",
            Verdict.PASSED,
            "The same metrics to the last bit.",
            numbers={"metrics": 3, "different": 0},
        )
        self.app.ledger.note(
            "run.linked",
            f"run:{version.content.run}",
            {},
            edges=[Edge(from_ref="features:by_carrier@1", to_ref=version.ref, role="input")],
        )


@step
def load(rows: int) -> list[float]:
    return [float(number % 17) for number in range(rows)]


@step
def split(values: list[float]) -> dict[str, list[float]]:
    middle = len(values) // 2
    return {"train": values[:middle], "test": values[middle:]}


@step
def fit_baseline(parts: dict[str, list[float]]) -> float:
    return sum(parts["train"]) / len(parts["train"])


@step
def fit_trees(parts: dict[str, list[float]]) -> float:
    return max(parts["train"])


@step
def choose(baseline: float, trees: float) -> str:
    return "trees" if trees > baseline else "baseline"


@pipeline
def train_delay(rows: int) -> object:
    parts = split(load(rows))
    return choose(fit_baseline(parts), fit_trees(parts))


def flights(week: int, *, rows: int = 900, shift: int = 0, broken: bool = False) -> pa.Table:
    """Return flights of a week, made up."""
    rng = np.random.default_rng(week)
    start = datetime(2013, 1, 1, tzinfo=UTC) + timedelta(weeks=week)
    delay = rng.gamma(1.2, 14, rows).astype(int) - 8 + shift
    missing = rng.random(rows) < (0.31 if broken else 0.02)
    return pa.table(
        {
            "flight_id": [f"{week}-{number}" for number in range(rows)],
            "scheduled_at": [start + timedelta(minutes=11 * number) for number in range(rows)],
            "carrier": [str(carrier) for carrier in rng.choice(CARRIERS, rows)],
            "origin": [str(origin) for origin in rng.choice(ORIGINS, rows)],
            "distance": rng.integers(90, 2600, rows),
            "dep_delay": pa.array(
                [
                    None if gone else int(d) * (60 if broken else 1)
                    for d, gone in zip(delay, missing, strict=True)
                ],
                pa.int64(),
            ),
            "late": (delay > 15).astype(float),
        }
    )


if __name__ == "__main__":
    seed_home(Path(sys.argv[1]), datetime.now(UTC))
