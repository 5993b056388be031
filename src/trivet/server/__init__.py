"""The server: API and pages over HTTP. It decides nothing; every handler asks a store or a room."""

from trivet.server.asgi import create_server
from trivet.server.security import PublicAddressRefused, check_loopback

__all__ = ["PublicAddressRefused", "check_loopback", "create_server"]
