"""The server as a process: a socket, a ready file, and a clean end."""

import json
import os
import signal
import socket
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from trivet.kernel.errors import Unavailable

_BACKLOG = 512
_GRACE_SECONDS = 3


class PortTaken(Unavailable):
    """Somebody else listens where the server was told to."""

    def __init__(self, host: str, port: int, detail: str) -> None:
        super().__init__(host, port, detail)
        self.host = host
        self.port = port
        self.detail = detail

    def __str__(self) -> str:
        return (
            f"Port {self.port} of {self.host} cannot be taken: {self.detail}. "
            "Choose another with --port."
        )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one.

    Raises:
        PortTaken: Somebody else listens there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
    except OSError as error:
        listener.close()
        raise PortTaken(host, port, str(error.strerror)) from error
    listener.listen(_BACKLOG)
    return listener


def serve(application: ASGIApp, host: str, port: int, ready: Path) -> None:
    """Serve until SIGTERM or SIGINT; `ready` exists while requests are answered."""
    with listen(host, port) as listener:
        taken = listener.getsockname()[1]
        url = f"http://{f'[{host}]' if ':' in host else host}:{taken}"
        config = uvicorn.Config(
            application,
            lifespan="off",
            ws="none",
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        # uvicorn raises the signal it got once more when it is done; the clean-up must outlive it.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        write_ready(ready, {"pid": os.getpid(), "url": url, "port": taken})
        try:
            uvicorn.Server(config).run(sockets=[listener])
        finally:
            ready.unlink(missing_ok=True)


def write_ready(file: Path, content: dict[str, object]) -> None:
    """Write the file whole: whoever reads it finds all of it or none."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(file)
