"""`trivet status`."""

import json
import os
from pathlib import Path
from typing import Any

import click

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.output import as_json, print_facts, print_json, print_table
from trivet.cli.run import report_lost


@click.command()
@as_json
@with_app
def status(app: App, as_json: bool) -> None:
    """Show what runs, what serves, and what needs attention.

    \b
    Example:
      trivet status
    """
    report_lost(app)
    found = {
        "processes": _processes(app.settings.processes),
        "gateways": _gateways(app),
        "deployments": _deployments(app),
        "alerts": app.alerts.list_alerts(open_only=True),
        "repairs": [r for r in app.repairs.list_repairs(limit=20) if not r.phase.is_final],
    }
    if as_json:
        print_json(found)
        return
    _print(found)


def _processes(folder: Path) -> list[dict[str, Any]]:
    """Return what processes said of themselves, and whether each is still there."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # It is just being written, or is none of ours.
        if isinstance(said, dict) and isinstance(said.get("pid"), int):
            found.append(
                {
                    "name": path.stem,
                    "pid": said["pid"],
                    "url": said.get("url", ""),
                    "state": "ready" if _is_alive(said["pid"]) else "down",
                }
            )
    return found


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _gateways(app: App) -> list[dict[str, Any]]:
    now = app.recorder.clock()
    return [
        {
            "id": gateway.id,
            "url": gateway.url,
            "seen_seconds_ago": round((now - gateway.seen_at).total_seconds(), 1),
            "generations": gateway.generations,
        }
        for gateway in app.routing.list_gateways()
    ]


def _deployments(app: App) -> list[dict[str, Any]]:
    tables = {table.deployment: table for table in app.routing.list_tables()}
    found = []
    for deployment in app.deployments.list_deployments():
        table = tables.get(deployment.name)
        rollout = app.rollouts.find_active(deployment.name)
        stable = (
            app.deployments.get_revision(deployment.name, table.stable).model if table else None
        )
        found.append(
            {
                "name": deployment.name,
                "stable": stable,
                "revision": table.stable if table else None,
                "candidate": table.candidate if table else None,
                "weight": table.weight if table else None,
                "generation": table.generation if table else None,
                "rollout": rollout.id if rollout else None,
                "phase": rollout.phase if rollout else None,
            }
        )
    return found


def _print(found: dict[str, Any]) -> None:
    print_table(
        ["process", "pid", "url", "state"],
        [(p["name"], p["pid"], p["url"], p["state"]) for p in found["processes"]],
        empty="No process of this home runs. 'trivet up' starts them.",
    )
    click.echo()
    print_table(
        ["deployment", "serves", "revision", "candidate", "weight", "rollout"],
        [
            (
                d["name"],
                d["stable"] or "-",
                d["revision"] or "-",
                d["candidate"] or "-",
                f"{d['weight']:.0%}" if d["weight"] else "-",
                d["phase"] or "-",
            )
            for d in found["deployments"]
        ],
        empty="Nothing is deployed. 'trivet deploy direct' releases a model version.",
    )
    click.echo()
    print_facts({f"gateway {g['id']}": _gateway(g) for g in found["gateways"]})
    print_table(
        ["alert", "deployment", "rule", "status", "summary"],
        [(a.id, a.deployment, a.rule, a.status, a.summary) for a in found["alerts"]],
        empty="No alert is open.",
    )
    for repair in found["repairs"]:
        click.echo(f"Deployment {repair.deployment} is under repair ({repair.phase}).")


def _gateway(gateway: dict[str, Any]) -> str:
    serves = ", ".join(f"{name} at {number}" for name, number in gateway["generations"].items())
    return f"{gateway['url']}, seen {gateway['seen_seconds_ago']} s ago, serves {serves or '-'}"
