"""Asks the cheapest question again and again until its input ends; then prints each answer's time in ms."""

import http.client
import json
import select
import sys
from time import perf_counter, sleep


def main(host: str, port: int) -> None:
    took: list[float] = []
    connection = http.client.HTTPConnection(host, port, timeout=30)
    while not select.select([sys.stdin], [], [], 0)[0]:
        began = perf_counter()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        took.append((perf_counter() - began) * 1000)
        sleep(0.003)
    print(json.dumps(sorted(took)))


main(sys.argv[1], int(sys.argv[2]))
