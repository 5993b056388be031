"""An S3 on a free loopback port, until standard input closes; it prints the port it took.

It dies with the tests that started it, however they end, since their end of the pipe closes.
"""

import logging
import sys
import warnings

warnings.simplefilter("ignore")  # what moto and werkzeug say of themselves is no affair of ours

from moto.server import ThreadedMotoServer  # noqa: E402 - after its warnings are silenced

if __name__ == "__main__":
    logging.disable()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)  # noqa: T201 - how the tests learn of it
    sys.stdin.read()
    server.stop()
