"""The verb of the ledger: verify, which seals what is new and recomputes the chain."""

from trivet.app import App
from trivet.server.api.actions import Given, action


def _verify(app: App, _path: dict[str, str], _given: Given) -> object:
    app.ledger.seal()
    return app.ledger.verify()


routes = [action("/ledger/verify", _verify)]
