"""The server: API and pages over HTTP. It decides nothing; every handler asks a store or a room.

`trivet.server.asgi` has the application. It is not imported here, so that the supervisor, which
only checks an address, stays small.
"""

from trivet.server.security import PublicAddressRefused, check_loopback

__all__ = ["PublicAddressRefused", "check_loopback"]
