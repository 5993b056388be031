"""The three questions and the DORA figures, computed from facts."""

from trivet.scorecard.answers import Stores, answers
from trivet.scorecard.records import (
    Answers,
    Certificate,
    Delivery,
    Incident,
    Link,
    Release,
    Validation,
    Velocity,
    Versioning,
)

__all__ = [
    "Answers",
    "Certificate",
    "Delivery",
    "Incident",
    "Link",
    "Release",
    "Stores",
    "Validation",
    "Velocity",
    "Versioning",
    "answers",
]
