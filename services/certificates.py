"""Whom we believe to be who they say they are."""

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """For every connection to the outside: to read the list takes as long as all else that a client needs."""
    return httpx.create_ssl_context()
