"""The alias that follows the revision that serves."""

from trivet.kernel.refs import Ref
from trivet.registry.store import ModelStore
from trivet.serving import RevisionSpec

CHAMPION = "champion"


def move_champion(models: ModelStore, revision: RevisionSpec, evidence: str) -> None:
    """Point the model's champion at the revision's version; nothing happens if it is there."""
    ref = Ref.parse(revision.model)
    version = int(ref.version or "0")
    at = next(
        (alias.version for alias in models.list_aliases(ref.name) if alias.alias == CHAMPION),
        None,
    )
    if at != version:
        models.set_alias(ref.name, CHAMPION, version, evidence=evidence, expected=at)
