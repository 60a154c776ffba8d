"""Runs function/handler.py behind HTTP: health and readiness, limits of time and of calls at once, and an end without a lost call.

The handler is `def handle(event, context)`, as in OpenFaaS's own Python templates. It returns {"statusCode": …, "headers": …, "body": …}, or
the body alone: text, bytes, a generator for an answer in chunks, or anything else as JSON. The standard library is all it needs.
"""

import importlib
import json
import os
import queue
import re
import signal
import sys
import threading
import time
import traceback
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

IDLE_SECONDS = 120  # Idle connections are the caller's to close: Go's clients keep theirs for 90 s.
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def duration(name, default):
    """"90s", "1m30s", "500ms", or seconds."""
    text = os.environ.get(name, "")
    if text == "":
        return default
    if text.isdecimal():
        return float(text)
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    if not parts or "".join(count + unit for count, unit in parts) != text:
        sys.exit(f'{name} is "{text}"; it has to be a duration such as 90s')
    return sum(float(count) * UNITS[unit] for count, unit in parts)


class Settings:
    def __init__(self):
        self.port = int(os.environ.get("port") or 8080)
        self.read = duration("read_timeout", 60)  # Until a request has arrived whole.
        self.write = duration("write_timeout", 65)  # Until the answer has left whole; what calls under way are given at the end.
        self.exec = duration("exec_timeout", 60)  # Until handler and answer have come to their end: 504, or a cut.
        self.inflight = int(os.environ.get("max_inflight") or 0)  # Calls at once; more are answered 429. 0: no limit.


class TooLate(Exception):
    answer = (504, "the function took too long")


class Failed(Exception):
    def __init__(self, kind):
        self.answer = (408, "the request did not arrive in time") if kind == "late" else (500, "the function failed")


class Body:
    """The request's body as it arrives: read(size), read() for all of it, or line by line. Chunked or with its length."""

    def __init__(self, handler, seconds):
        self.source, self.connection = handler.rfile, handler.connection
        self.deadline = time.monotonic() + seconds
        self.chunked = "chunked" in handler.headers.get("Transfer-Encoding", "").lower()
        self.left = 0 if self.chunked else int(handler.headers.get("Content-Length") or 0)
        self.ended = not self.chunked and self.left == 0

    def _within(self, action):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TooLate("read_timeout")
        self.connection.settimeout(left)
        try:
            return action()
        except TimeoutError:
            raise TooLate("read_timeout") from None

    def _next_chunk(self):
        size = self._within(self.source.readline)
        self.left = int(size.split(b";")[0], 16)
        if self.left == 0:
            while self._within(self.source.readline) not in (b"\r\n", b"\n", b""):
                pass
            self.ended = True

    def read(self, size=-1):
        parts, wanted = [], size
        while not self.ended and (size < 0 or wanted > 0):
            if self.left == 0:
                self._next_chunk()
                continue
            count = min(self.left, 65536 if size < 0 else wanted)
            part = self._within(lambda count=count: self.source.read1(count))
            if part == b"":
                raise ConnectionError("the request ended early")
            parts.append(part)
            self.left -= len(part)
            wanted -= len(part)
            if self.left == 0:
                if self.chunked:
                    self._within(self.source.readline)
                else:
                    self.ended = True
        return b"".join(parts)

    def __iter__(self):
        while part := self.read(65536):
            yield part


class Event:
    def __init__(self, handler, body):
        url = urllib.parse.urlsplit(handler.path)
        self.method = handler.command
        self.path = url.path
        self.query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        self.headers = handler.headers
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
    """Status, headers and an iterable of bytes; a list of one has a known length."""
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
    return status, headers, parts


class Call:
    """The handler in a thread of its own: a thread cannot be ended, but it need not be waited for."""

    def __init__(self, handle, event, context):
        self.steps = queue.Queue(maxsize=8)
        self.abandoned = threading.Event()
        threading.Thread(target=self._run, args=(handle, event, context), daemon=True).start()

    def _put(self, step):
        while not self.abandoned.is_set():
            try:
                return self.steps.put(step, timeout=1)
            except queue.Full:
                continue
        raise TooLate("nobody takes the answer")

    def _run(self, handle, event, context):
        try:
            status, headers, parts = answer_of(handle(event, context))
            self._put(("head", status, headers, len(parts[0]) if isinstance(parts, list) else None))
            for part in parts:
                self._put(("part", part))
            self._put(("end",))
        except TooLate:
            # The caller does not send, or nobody takes the answer any more.
            if not self.abandoned.is_set():
                self.steps.put(("late",))
        except Exception:
            if not self.abandoned.is_set():
                traceback.print_exc()
                self.steps.put(("error",))

    def next(self, deadline):
        try:
            return self.steps.get(timeout=max(0.001, deadline - time.monotonic()))
        except queue.Empty:
            raise TooLate("exec_timeout") from None


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, settings, handle):
        self.settings, self.handle_call = settings, handle
        self.busy, self.lock, self.stopping = 0, threading.Lock(), False
        super().__init__(("", settings.port), Handler)

    def take(self):
        with self.lock:
            if self.settings.inflight and self.busy >= self.settings.inflight:
                return False
            self.busy += 1
            return True

    def give(self):
        with self.lock:
            self.busy -= 1

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            traceback.print_exc()


# A kept connection that is closed as a call is on its way loses it: for so long each answer first says that it is the last one.
LINGER_SECONDS = 1


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    wbufsize = 65536

    def log_message(self, *_args):
        pass

    def say(self, status, text, headers=()):
        data = f"{text}\n".encode()
        self.head(status, {"Content-Type": "text/plain; charset=utf-8", "Content-Length": len(data), **dict(headers)})
        if self.command != "HEAD":
            self.wfile.write(data)

    def head(self, status, headers):
        if self.server.stopping:
            self.close_connection = True
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def answer(self):
        server = self.server
        if self.path == "/_/health":
            return self.say(503 if server.stopping else 200, "stopping" if server.stopping else "OK")
        if self.path == "/_/ready":
            limit = server.settings.inflight
            free = not server.stopping and (limit == 0 or server.busy < limit)
            return self.say(200 if free else 503, "OK" if free else "busy")
        if not server.take():
            self.close_connection = True
            return self.say(429, "too many calls at once", {"Retry-After": "1"})
        try:
            self.call(server.settings)
            # Before the call counts as over: the program may end right after the last one.
            self.wfile.flush()
        finally:
            server.give()

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def call(self, settings):
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
        start = time.monotonic()
        body = Body(self, settings.read)
        call = Call(self.server.handle_call, Event(self, body), Context())
        begun = False
        try:
            limit = min(settings.exec, settings.write)
            step = call.next(start + limit)
            while step[0] != "end":
                if step[0] in ("error", "late"):
                    raise Failed(step[0])
                if step[0] == "head":
                    self.connection.settimeout(settings.write)
                    # What the handler left unread would be taken for the next request.
                    self.close_connection = self.close_connection or not body.ended
                    chunked = step[3] is None
                    length = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": step[3]}
                    self.head(step[1], {**step[2], **length})
                    begun = True
                elif step[1] and self.command != "HEAD":
                    part = step[1]
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
                    if chunked:
                        self.wfile.flush()
                step = call.next(start + limit)
            if chunked and self.command != "HEAD":
                self.wfile.write(b"0\r\n\r\n")
        except (TooLate, Failed) as problem:
            self.close_connection = True
            if begun:
                # A chunked answer without its end is seen by the caller as the broken one it is.
                return
            self.say(*problem.answer)
        finally:
            call.abandoned.set()
            self.connection.settimeout(IDLE_SECONDS)


def main():
    settings = Settings()
    if sys.argv[1:] == ["--healthcheck"]:
        with urllib.request.urlopen(f"http://127.0.0.1:{settings.port}/_/health", timeout=2) as answer:
            sys.exit(0 if answer.status == 200 else 1)
    sys.path.insert(0, os.environ.get("handler_path") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "function"))
    server = Server(settings, importlib.import_module("handler").handle)
    # Python runs a signal's handler when the main thread comes round to it, which a waiting one may not: the pipe is written at once.
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    print(f"listening on port {server.server_port}", flush=True)
    os.read(told, 1)
    server.stopping = True
    time.sleep(LINGER_SECONDS)
    server.shutdown()
    server.server_close()
    deadline = time.monotonic() + settings.write
    while server.busy > 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    if server.busy > 0:
        print("calls were still under way at the end", file=sys.stderr)
    sys.stdout.flush()
    os._exit(1 if server.busy > 0 else 0)


if __name__ == "__main__":
    main()
