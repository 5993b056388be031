"""Ports that are free at this moment."""

import socket
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """Return as many different ports of loopback that nobody listens on."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
