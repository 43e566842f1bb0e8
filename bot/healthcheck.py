"""Whether the process beside this one serves: exit status 0 or 1, for Docker's HEALTHCHECK."""

import os
import sys
from http.client import HTTPConnection, HTTPException


def is_serving(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not is_serving(int(os.environ.get("HTTP_PORT") or 8080)))
