"""Runs function/handler.py behind uvicorn: health and readiness, limits of time and of calls at once, and an end without a lost call.

The handler is `def handle(event, context)`, as in OpenFaaS's own Python templates. It returns {"statusCode": …, "headers": …, "body": …}, or
the body alone: text, bytes, a generator for an answer in chunks, or anything else as JSON.
"""

import os
import socket
import sys


def healthcheck(port):
    """By a socket alone: what the server imports takes longer on a busy host than an engine waits, which would end a function that is well."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(b"GET /_/health HTTP/1.0\r\nHost: localhost\r\n\r\n")
        return connection.recv(64).split(b" ")[1:2] == [b"200"]


if __name__ == "__main__" and sys.argv[1:] == ["--healthcheck"]:
    sys.exit(0 if healthcheck(int(os.environ.get("port") or 8080)) else 1)

import asyncio
import concurrent.futures
import contextlib
import http.client
import importlib
import json
import re
import signal
import threading
import traceback
import urllib.parse

# The handler's own packages come first on PYTHONPATH; outside of the image both lie beside this file.
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "packages"), os.path.join(HERE, "server")]

import uvicorn  # noqa: E402
from uvicorn.protocols.http.h11_impl import H11Protocol  # noqa: E402

IDLE_SECONDS = 120  # Idle connections are the caller's to close: Go's clients keep theirs for 90 s.
# A kept connection that is closed as a call is on its way loses it: for so long each answer first says that it is the last one.
LINGER_SECONDS = 1
UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")


def duration(name, default):
    """A duration as Go writes it ("90s", "1m30s", ".5s"), or whole seconds, in seconds. None, for 0, is no limit."""
    text = os.environ.get(name) or default
    if re.fullmatch(r"[0-9]+", text):
        return float(text) or None
    parts = PART.findall(text)
    if not parts or "".join(count + unit for count, unit in parts) != text:
        sys.exit(f'{name} is "{text}"; it has to be a duration such as 90s')
    return sum(float(count) * UNITS[unit] for count, unit in parts) or None


def whole(name, default):
    text = os.environ.get(name) or default
    if not re.fullmatch(r"[0-9]+", text):
        sys.exit(f'{name} is "{text}"; it has to be a whole number, 0 for no limit')
    return int(text)


class Settings:
    def __init__(self):
        self.port = int(os.environ.get("port") or 8080)
        self.read = duration("read_timeout", "60s")  # Until a request has arrived whole.
        self.write = duration("write_timeout", "65s")  # Until the answer has left whole; what calls under way are given at the end.
        self.exec = duration("exec_timeout", "60s")  # Until handler and answer have come to their end: 504, or a cut.
        self.inflight = whole("max_inflight", "0")  # Calls at once; more are answered 429. 0: no limit.

    def __str__(self):
        return ", ".join(f"{name}_timeout {getattr(self, name) or 0:.9g}s" for name in ("read", "write", "exec"))


class Late(Exception):
    """The request does not arrive in time."""


class Over(Exception):
    """The caller has gone, or was answered without the handler, which may still be at work."""


class Call:
    """One request and its answer, as the handler's thread sees them: each step is done on the event loop, and waited for."""

    def __init__(self, app, transport, receive, send):
        self.app, self.transport, self._receive, self._send = app, transport, receive, send
        self.loop = asyncio.get_running_loop()
        self.deadline = self.loop.time() + app.settings.read if app.settings.read else None
        self.begun = self.over = False

    def wait(self, step):
        return asyncio.run_coroutine_threadsafe(step, self.loop).result()

    async def receive(self):
        left = None if self.deadline is None else max(0.001, self.deadline - self.loop.time())
        try:
            message = await asyncio.wait_for(self._receive(), left)
        except asyncio.TimeoutError:
            raise Late from None
        if message["type"] == "http.disconnect":
            raise Over
        return message["body"], not message["more_body"]

    async def start(self, status, headers):
        if self.over or self.begun:
            raise Over
        self.begun = True
        if self.app.stopping:
            headers = {**headers, "Connection": "close"}
        pairs = [(name.encode("latin-1"), str(value).encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})

    async def send(self, data, more):
        if self.over or self.transport.is_closing():
            raise Over
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def say(self, status, text, headers=()):
        data = f"{text}\n".encode()
        await self.start(status, {"Content-Type": "text/plain; charset=utf-8", "Content-Length": len(data), **dict(headers)})
        await self.send(data, False)


class Body:
    """The request's body as it arrives: read(size), read() for all of it, or piece by piece."""

    def __init__(self, call):
        self.call, self.rest, self.ended = call, b"", False

    def read(self, size=-1):
        parts, length = [self.rest], len(self.rest)
        while not self.ended and (size < 0 or length < size):
            part, self.ended = self.call.wait(self.call.receive())
            parts.append(part)
            length += len(part)
        data = b"".join(parts)
        end = length if size < 0 else size
        self.rest = data[end:]
        return data[:end]

    def __iter__(self):
        while part := self.read(65536):
            yield part


class Event:
    def __init__(self, scope, body):
        self.method = scope["method"]
        self.path = scope["raw_path"].decode("latin-1")
        self.query = dict(urllib.parse.parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        self.headers = http.client.HTTPMessage()
        for name, value in scope["headers"]:
            self.headers[name.decode("latin-1")] = value.decode("latin-1")
        self.stream = body

    @property
    def body(self):
        """All of it, at the first use."""
        if not hasattr(self, "_body"):
            self._body = self.stream.read()
        return self._body


class Context:
    def __init__(self):
        self.hostname = os.environ.get("HOSTNAME", "localhost")


def answer_of(result):
    """Status, headers and the parts of the body; a list of one part has a known length."""
    status, headers, body = 200, {}, result
    if isinstance(result, dict) and "statusCode" in result:
        status, headers, body = result["statusCode"], dict(result.get("headers") or {}), result.get("body", "")
    if isinstance(body, (bytes, bytearray)):
        kind, parts = "application/octet-stream", [bytes(body)]
    elif body is None or isinstance(body, str):
        kind, parts = "text/plain; charset=utf-8", [(body or "").encode()]
    elif hasattr(body, "__next__"):
        kind, parts = "application/octet-stream", (part.encode() if isinstance(part, str) else part for part in body)
    else:
        kind, parts = "application/json; charset=utf-8", [(json.dumps(body) + "\n").encode()]
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = kind
    if isinstance(parts, list):
        headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
        headers["Content-Length"] = len(parts[0])
    return status, headers, parts


def in_thread(work):
    """A future of what `work` gives, in a thread of its own: a thread cannot be ended, but need not be waited for."""
    future = concurrent.futures.Future()
    future.set_running_or_notify_cancel()

    def run():
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return asyncio.wrap_future(future)


class App:
    def __init__(self, settings, handle):
        self.settings, self.handle = settings, handle
        self.busy, self.stopping = 0, False

    async def __call__(self, scope, receive, send):
        call, limit = Call(self, scope["state"]["transport"], receive, send), self.settings.inflight
        free = not self.stopping and (limit == 0 or self.busy < limit)
        if scope["path"] == "/_/health":
            return await call.say(*((503, "stopping") if self.stopping else (200, "OK")))
        if scope["path"] == "/_/ready":
            return await call.say(*((200, "OK") if free else (503, "busy")))
        if limit and self.busy >= limit:
            return await call.say(429, "too many calls at once", {"Retry-After": "1", "Connection": "close"})
        self.busy += 1
        try:
            await self.answer(call, scope)
        finally:
            self.busy -= 1
            call.over = True

    async def answer(self, call, scope):
        def work():
            status, headers, parts = answer_of(self.handle(Event(scope, Body(call)), Context()))
            call.wait(call.start(status, headers))
            for part in parts:
                call.wait(call.send(part, True))
            call.wait(call.send(b"", False))

        limits = [limit for limit in (self.settings.exec, self.settings.write) if limit]
        running = in_thread(work)
        await asyncio.wait([running], timeout=min(limits, default=None))
        try:
            if running.cancel():
                problem = (504, "the function took too long")
            else:
                return running.result()
        except Over:
            return
        except Late:
            problem = (408, "the request did not arrive in time")
        except Exception:
            traceback.print_exc()
            problem = (500, "the function failed")
        if not call.begun:
            return await call.say(*problem, {"Connection": "close"})
        # A chunked answer without its end is seen by the caller as the broken one it is.
        call.transport.abort()
        await asyncio.sleep(0)


class Protocol(H11Protocol):
    """With its connection in a call's scope, so that it can be cut, and with a limit for its first request, which uvicorn waits for."""

    def connection_made(self, transport):
        super().connection_made(transport)
        self.app_state = {"transport": transport}
        if limit := self.app.settings.read:
            self.loop.call_later(limit, lambda: self.cycle or transport.close())


class Server(uvicorn.Server):
    def capture_signals(self):
        return contextlib.nullcontext()


async def serve(settings, handle):
    app = App(settings, handle)
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        interface="asgi3",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=settings.write,
    )
    server = Server(config)
    loop = asyncio.get_running_loop()

    def stop():
        app.stopping = True
        loop.call_later(LINGER_SECONDS, setattr, server, "should_exit", True)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    listener = socket.create_server(("", settings.port), backlog=1024)
    print(f"listening on port {listener.getsockname()[1]}, {settings}", flush=True)
    await server.serve([listener])
    if app.busy:
        print("calls were still under way at the end", file=sys.stderr)
    # Threads of handlers that were too late may still run.
    sys.stdout.flush()
    os._exit(1 if app.busy else 0)


def main():
    settings = Settings()
    sys.path.insert(0, os.environ.get("handler_path") or os.path.join(HERE, "function"))
    asyncio.run(serve(settings, importlib.import_module("handler").handle))


if __name__ == "__main__":
    main()
