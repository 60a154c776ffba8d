"""What templates.test.ts calls, in the words of this language. A call that waits does so for the file named by `release`."""

import os
import time


def released():
    while not os.path.exists(os.environ["release"]):
        time.sleep(0.01)


def pieces():
    yield "one\n"
    released()
    yield b"two\n"


def handle(event, context):
    if event.path == "/echo":
        return iter(event.stream)
    if event.path == "/fail":
        raise ValueError("no such fjord")
    if event.path == "/stream":
        return pieces()
    if event.path == "/status":
        return {"statusCode": 418, "headers": {"X-Kind": "teapot"}, "body": "short and stout"}
    if event.path == "/wait":
        released()
    return {"body": event.body.decode()}
