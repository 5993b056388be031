"""Trivet takes a predictive model from idea to production and keeps it there, on one ledger.

The names below are imported when they are first used, so that `import trivet` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from trivet.admission import admit
    from trivet.current import (
        current_app,
        log_artifact,
        log_metric,
        log_metrics,
        log_params,
        open,  # noqa: A004 - `trivet.open` reads as it should
        run,
        set_tags,
        start_run,
    )
    from trivet.features import (
        Aggregate,
        FeatureService,
        FeatureView,
        RequestFeature,
        Rolling,
        TimePart,
    )
    from trivet.kernel.errors import Conflict, InvalidInput, NotFound, TrivetError, Unavailable
    from trivet.pipelines import pipeline, step
    from trivet.registry import NewVersion, Signature
    from trivet.workbench import (
        apply,
        commit,
        deploy,
        materialize,
        plan,
        read,
        register,
        training_set,
    )

_HOME_OF = {
    "trivet.admission": "admit",
    "trivet.workbench": ("apply commit deploy materialize plan read register training_set"),
    "trivet.current": (
        "current_app log_artifact log_metric log_metrics log_params open run set_tags start_run"
    ),
    "trivet.pipelines": "pipeline step",
    "trivet.features": ("Aggregate FeatureService FeatureView RequestFeature Rolling TimePart"),
    "trivet.registry": "NewVersion Signature",
    "trivet.kernel.errors": "Conflict InvalidInput NotFound TrivetError Unavailable",
}
_MODULE_OF = {name: module for module, names in _HOME_OF.items() for name in names.split()}

__all__ = [
    "Aggregate",
    "Conflict",
    "FeatureService",
    "FeatureView",
    "InvalidInput",
    "NewVersion",
    "NotFound",
    "RequestFeature",
    "Rolling",
    "Signature",
    "TimePart",
    "TrivetError",
    "Unavailable",
    "__version__",
    "admit",
    "apply",
    "commit",
    "current_app",
    "deploy",
    "log_artifact",
    "log_metric",
    "log_metrics",
    "log_params",
    "materialize",
    "open",
    "pipeline",
    "plan",
    "read",
    "register",
    "run",
    "set_tags",
    "start_run",
    "step",
    "training_set",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'trivet' has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
