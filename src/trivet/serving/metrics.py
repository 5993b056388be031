"""What a gateway counts, and how Prometheus reads it (text format 0.0.4)."""

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping

from trivet.serving.records import Role, Status

LATENCY_EDGES_SECONDS = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
)  # fmt: skip
"""Upper edges of the latency buckets; one bucket above them has no edge."""

_MAX_SERIES = 500
_OTHER = "other"

Labels = tuple[tuple[str, str], ...]


class Histogram:
    """Counts of values by bucket, with their sum."""

    def __init__(self) -> None:
        self.counts = [0] * (len(LATENCY_EDGES_SECONDS) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count one value."""
        self.counts[bisect_left(LATENCY_EDGES_SECONDS, seconds)] += 1
        self.total += seconds


class Metrics:
    """Counters of one gateway; safe to change from several threads.

    Labels are names the gateway itself has tables for, never a caller's text, and there are at
    most 500 series of answers: beyond that the revision is counted as `other`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str, Role, Status], int] = defaultdict(int)
        self._latency: dict[str, Histogram] = defaultdict(Histogram)
        self._stages: dict[tuple[str, str], float] = defaultdict(float)
        self._responses: dict[int, int] = defaultdict(int)
        self._events: dict[str, int] = defaultdict(int)

    def answered(
        self, deployment: str, answers: Iterable[tuple[int, Status]], role: Role = Role.PRIMARY
    ) -> None:
        """Count what revisions made of rows."""
        with self._lock:
            for revision, status in answers:
                key = (deployment, str(revision), role, status)
                if key not in self._answers and len(self._answers) >= _MAX_SERIES:
                    key = (deployment, _OTHER, role, status)
                self._answers[key] += 1

    def took(self, deployment: str, seconds: float, stages: Mapping[str, float]) -> None:
        """Count a request's latency, and what each stage had of it."""
        with self._lock:
            self._latency[deployment].observe(seconds)
            for stage, part in stages.items():
                self._stages[deployment, stage] += part

    def responded(self, status: int) -> None:
        """Count an HTTP response."""
        with self._lock:
            self._responses[status] += 1

    def counted(self, event: str, number: int = 1) -> None:
        """Count something that happens to the gateway: `shadow_dropped`."""
        with self._lock:
            self._events[event] += number

    def render(self, gauges: Mapping[str, Mapping[Labels, float]]) -> str:
        """Return everything as text; `gauges` are the values that are read off, not counted."""
        with self._lock:
            lines = [
                *_family(
                    "trivet_gateway_answers_total",
                    "counter",
                    "Rows computed, by revision and outcome.",
                    {
                        (
                            ("deployment", deployment),
                            ("revision", revision),
                            ("role", role),
                            ("status", status),
                        ): count
                        for (deployment, revision, role, status), count in self._answers.items()
                    },
                ),
                *self._latency_lines(),
                *_family(
                    "trivet_gateway_stage_seconds_total",
                    "counter",
                    "Seconds spent in each stage of answering.",
                    {
                        (("deployment", deployment), ("stage", stage)): seconds
                        for (deployment, stage), seconds in self._stages.items()
                    },
                ),
                *_family(
                    "trivet_gateway_responses_total",
                    "counter",
                    "HTTP responses by status.",
                    {(("code", str(code)),): count for code, count in self._responses.items()},
                ),
                *_family(
                    "trivet_gateway_events_total",
                    "counter",
                    "What happened to the gateway.",
                    {(("event", event),): count for event, count in self._events.items()},
                ),
            ]
        for name, values in gauges.items():
            lines += _family(name, "gauge", _GAUGES.get(name, ""), values)
        return "\n".join(lines) + "\n"

    def _latency_lines(self) -> list[str]:
        name = "trivet_gateway_request_seconds"
        lines = _head(name, "histogram", "From a request's last byte to its answer's first.")
        for deployment, histogram in self._latency.items():
            label = ("deployment", deployment)
            below = 0
            for edge, count in zip(LATENCY_EDGES_SECONDS, histogram.counts, strict=False):
                below += count
                lines.append(_line(f"{name}_bucket", (label, ("le", f"{edge:g}")), below))
            below += histogram.counts[-1]
            lines.append(_line(f"{name}_bucket", (label, ("le", "+Inf")), below))
            lines.append(_line(f"{name}_sum", (label,), histogram.total))
            lines.append(_line(f"{name}_count", (label,), below))
        return lines


_GAUGES = {
    "trivet_gateway_generation": "The generation of the routing table that is served.",
    "trivet_gateway_weight": "The share of units that the candidate answers.",
    "trivet_gateway_stale_seconds": "Seconds since the routing store last answered.",
    "trivet_gateway_problems": "Deployments whose newest table is not served whole.",
    "trivet_gateway_shadow_waiting": "Requests that wait for the candidate's shadow.",
    "trivet_gateway_journal_bytes": "Bytes written to the journal by this process.",
    "trivet_gateway_in_flight": "Requests that are being answered.",
}


def _family(name: str, kind: str, text: str, values: Mapping[Labels, float]) -> list[str]:
    return [
        *_head(name, kind, text),
        *(_line(name, labels, value) for labels, value in sorted(values.items())),
    ]


def _head(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


def _line(name: str, labels: Labels, value: float) -> str:
    inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{name}{{{inner}}} {value!r}" if inner else f"{name} {value!r}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
