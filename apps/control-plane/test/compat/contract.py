"""What the contract programs share: a client of the standard library only, and cases that are reported one by one.

A program is called with `--list`, and prints the titles of its cases, or with the address of a control plane, an admin key, the time
after which a silent worker is offline there, and which of its cases to run (`at-once` or `waiting`); then it prints one line of JSON for
each: its title, and what was wrong or null.
"""
import http.client
import json
import sys
import threading
import time
import traceback
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

CASES = []
DEADLINE_SECONDS = 30


def case(title, waits=False):
    """One promise. Those that wait for silence to be noticed run where that is soon; the others where no stall of the machine is one."""

    def add(function):
        CASES.append((title, waits, function))
        return function

    return add


class Answer:
    def __init__(self, status, text):
        self.status = status
        self.text = text

    @property
    def body(self):
        return json.loads(self.text)

    def __repr__(self):
        return "%d %s" % (self.status, self.text[:400])


class Server:
    """A control plane under test: any path, any body, nothing added but what is given."""

    def __init__(self, url, admin_key, timeout_seconds):
        self.address = urllib.parse.urlsplit(url)
        self.admin_key = admin_key
        self.timeout_seconds = timeout_seconds

    def send(self, method, path, body=None, headers=None, raw=None):
        given = dict(headers or {})
        data = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        if data is not None:
            given.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=DEADLINE_SECONDS)
        try:
            connection.request(method, path, body=data, headers=given)
            response = connection.getresponse()
            return Answer(response.status, response.read().decode())
        finally:
            connection.close()

    def native(self, method, path, body=None):
        """Our own interface, as an admin sees it."""
        answer = self.send(method, "/api/v1" + path, body, {"Authorization": "Bearer " + self.admin_key})
        if answer.status >= 400:
            raise AssertionError("%s %s: %r" % (method, path, answer))
        return answer.body if answer.text else None

    def key(self, owner, role="worker"):
        """A fresh key: its id and its secret."""
        made = self.native("POST", "/keys", {"name": owner, "role": role, "owner": owner})
        return made["id"], made["secret"]

    def natives(self, text):
        """Workers in our own list with this in their name."""
        return self.native("GET", "/workers?limit=200&q=" + urllib.parse.quote(text))["data"]


def in_parallel(count, work):
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def equal(actual, expected, what=""):
    assert actual == expected, "%s: expected %r, got %r" % (what or "value", expected, actual)


def one_of(answer, *statuses):
    assert answer.status in statuses, "expected one of %r, got %r" % (statuses, answer)
    return answer


def names(answer, field):
    assert field in answer.text, "expected %r to be named, got %r" % (field, answer)
    return answer


def eventually(what, holds):
    until = time.monotonic() + DEADLINE_SECONDS
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < until, "not in time: " + what
        time.sleep(0.1)


def changed(body, path, value):
    """A copy of a body in which the field at this dotted path is another value, or missing where that is `MISSING`."""
    copy = json.loads(json.dumps(body))
    *above, last = path.split(".")
    at = copy
    for name in above:
        at = at[name]
    if value is MISSING:
        del at[last]
    else:
        at[last] = value
    return copy


MISSING = object()
NOT_JSON = [b"", b"{", b"not json", b'{"a": NaN}', b"\xff\xfe"]
NO_OBJECTS = [b"[]", b'"text"', b"7", b"null", b"true"]

printing = threading.Lock()


def report(title, function, server):
    try:
        function(server)
        complaint = None
    except Exception:
        complaint = traceback.format_exc(limit=-3)
    with printing:
        print(json.dumps({"title": title, "complaint": complaint}), flush=True)


def main():
    if sys.argv[1:] == ["--list"]:
        print(json.dumps([title for title, _waits, _function in CASES]))
        return
    url, admin_key, timeout_seconds, which = sys.argv[1:]
    server = Server(url, admin_key, float(timeout_seconds))
    cases = [(title, function) for title, waits, function in CASES if waits == (which == "waiting")]
    # Those that wait do so together.
    with ThreadPoolExecutor(max(1, len(cases) if which == "waiting" else 1)) as pool:
        for title, function in cases:
            pool.submit(report, title, function, server)
