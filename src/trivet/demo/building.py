"""The chapters in which the first model is built: data, features, training."""

import statistics
from datetime import UTC, datetime

from trivet.demo.flights import features as flight_features
from trivet.demo.story import DATASETS, DEPLOYMENT, PIPELINE, PROJECT, Story, day
from trivet.kernel.digests import Json
from trivet.kernel.durations import format_duration

FIRST_TRAINED_UNTIL = "2013-03-01T00:00:00+00:00"
_FEATURE_SECONDS_LIMIT = 2.0


def tell_data(story: Story) -> None:
    """Commit January and February, with keys, event times and contracts."""
    story.claims.open_chapter("Data: two months, with keys, event times and contracts")
    keys = {"flights": "flight_id", "landings": "flight_id", "weather": "origin,observed_at"}
    for name, event_time in DATASETS.items():
        story.trivet("data", "create", name, "--key", keys[name], "--event-time", event_time)
    story.trivet("data", "create", "planes", "--key", "tailnum", "--event-time", "listed_at")
    for name in (*DATASETS, "planes"):
        contract = str(PROJECT / "contracts" / f"{name}.yaml")
        story.trivet("data", "contract", "set", name, contract, quiet=True, silent=True)
    commits = [
        story.trivet("data", "commit", "planes", story.write_rows(story.tables.planes, "planes"))
    ]
    for month in (1, 2):
        commits += story.commit_month(month)
    rows = sum(commit["rows_added"] for commit in commits)
    green = [commit for commit in commits if commit["contract"] == "passed"]
    story.check(
        len(green) == len(commits),
        f"{rows:,} rows in {len(commits)} commits, each green by its contract",
    )
    log = story.trivet("data", "log", "flights")
    profile = story.trivet("data", "profile", "flights")
    nulls = {column["name"]: column["nulls"] for column in profile}
    story.tell(
        f"flights@main is at {log[0]['id'][:12]}, {log[0]['rows']:,} rows; "
        f"{nulls['arr_delay']:,} of them never arrived"
    )


def tell_features(story: Story) -> None:
    """Apply the views and fill the online store from the same definitions."""
    story.claims.open_chapter("Features: one definition for training and for serving")
    applied = story.trivet("features", "apply", str(PROJECT / "features.py"))
    views = [view.name for view in flight_features.VIEWS]
    began = story.watch()
    story.trivet("features", "materialize", *views, "--until", FIRST_TRAINED_UNTIL)
    seconds = story.watch() - began
    counts = {
        view.name: story.app.online.count(story.app.features.get_view(view.name).online_name)
        for view in flight_features.VIEWS
    }
    story.check(
        all(counts.values()),
        f"{len(applied)} definitions applied; {sum(counts.values()):,} entities online in "
        f"{format_duration(seconds)}",
    )


def tell_training(story: Story) -> None:
    """Train the first model, and run the same pipeline again."""
    story.claims.open_chapter("Train: a pipeline of steps, its gates, and its cache")
    arguments = (
        "run",
        f"{PIPELINE}:train",
        "--param",
        f"until={FIRST_TRAINED_UNTIL}",
        "--param",
        "service=features:delay_simple",
    )
    first = story.trivet(*arguments)
    story.figures["first_run"] = first["run"]
    version = story.app.models.get_version(DEPLOYMENT, 1)
    metrics = version.content.metrics
    story.check(
        version.version == 1 and len(version.content.evidence) >= 8,
        f"{version.ref} registered on {len(version.content.evidence)} gates: "
        f"AUC {metrics['auc']:.3f}, log loss {metrics['log_loss']:.4f}, "
        f"accuracy {metrics['accuracy']:.3f} on the newest eighth",
    )
    began = story.watch()
    second = story.trivet(*arguments)
    seconds = story.watch() - began
    story.figures["cached_seconds"] = seconds
    story.check(
        _cached_share(story, second) == 1.0 and seconds < _FEATURE_SECONDS_LIMIT,
        f"the same pipeline again: every repeatable step from the cache, in "
        f"{format_duration(seconds)}",
    )


def _cached_share(story: Story, run: Json) -> float:
    shown = story.trivet("runs", "graph", run["run"], quiet=True)
    return statistics.fmean(bool(node["cached"]) for node in shown["nodes"])


def instant(at: datetime) -> str:
    """Return an instant as the pipeline takes it."""
    return at.astimezone(UTC).isoformat()


__all__ = ["day", "instant", "tell_data", "tell_features", "tell_training"]
