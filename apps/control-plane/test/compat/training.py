"""Seed 001: a training job of FineTune Lab that tells its status, its logs and its metrics, as its contract prints them."""
import json
import time
import urllib.parse
import uuid

from contract import MISSING, NO_OBJECTS, NOT_JSON, case, changed, equal, eventually, in_parallel, main, names, one_of

BASE = "/compat/finetunelab"
STATUSES = ("running", "completed", "failed", "cancelled", "paused")
ALLOWED = {
    "claimed": ("running", "failed", "cancelled"),
    "running": STATUSES,
    "paused": ("paused", "running", "failed", "cancelled"),
    "completed": ("completed",),
    "failed": ("failed",),
    "cancelled": ("cancelled",),
}


class Trainer:
    """A worker that takes one job after the other; its label keeps those of the other cases away."""

    def __init__(self, server):
        self.server = server
        self.label = "case-" + uuid.uuid4().hex[:12]
        self.key = server.key(self.label)[1]
        body = {"api_key": self.key, "hostname": self.label, "platform": "linux", "version": "1"}
        self.id = one_of(server.send("POST", BASE + "/api/workers/register", body), 200, 201).body["worker_id"]
        server.native("PATCH", "/workers/" + self.id, {"labels": {"case": self.label}})

    def claim(self, **spec):
        job = dict({"run": {"external": {"kind": "finetunelab", "payload": {}}}, "needs": {"labels": {"case": self.label}}}, **spec)
        submitted = self.server.native("POST", "/jobs", job)["id"]
        headers = {"Authorization": "Bearer " + self.key}
        claim = eventually("a claim", lambda: self.server.send("POST", "/api/v1/workers/%s/claim" % self.id, {"waitSeconds": 5}, headers).text)
        claimed = json.loads(claim)
        equal(claimed["job"]["id"], submitted)
        return Job(self.server, submitted, claimed["jobToken"])

    def beat(self, status="online"):
        headers = {"X-API-Key": self.key}
        return one_of(self.server.send("POST", "%s/api/workers/%s/heartbeat" % (BASE, self.id), {"status": status}, headers), 200)


class Job:
    def __init__(self, server, job_id, token):
        self.server = server
        self.id = job_id
        self.token = token
        self.path = "%s/api/training/local/%s" % (BASE, job_id)

    def send(self, method, what, body=None, **more):
        more.setdefault("headers", {"Authorization": "Bearer " + self.token})
        return self.server.send(method, "%s/%s" % (self.path, what), body, **more)

    def report(self, status, **more):
        return self.send("PATCH", "status", dict({"status": status}, **more))

    def must(self, *statuses):
        for status in statuses:
            answer = self.report(status)
            equal((answer.status, answer.body), (200, {"success": True}), status)
        return self

    def look(self):
        return one_of(self.send("GET", "status"), 200).body

    def log(self, *lines):
        answer = self.send("POST", "logs", {"logs": list(lines)})
        equal((answer.status, answer.body), (200, {"success": True}))

    def lines(self, **query):
        return one_of(self.send("GET", "logs?" + urllib.parse.urlencode(query)), 200).body

    def measure(self, *points):
        answer = self.send("PUT", "metrics", {"metrics": list(points)})
        equal((answer.status, answer.body), (200, {"success": True}))

    def points(self):
        body = one_of(self.send("GET", "metrics"), 200).body
        equal(body["job_id"], self.id)
        return body["metrics"]

    def native(self):
        return self.server.native("GET", "/jobs/" + self.id)


def in_status(trainer, status):
    """A fresh job that stands like this."""
    job = trainer.claim()
    return job.must(*{"claimed": (), "running": ("running",), "paused": ("running", "paused")}.get(status, ("running", status)))


def done(*jobs):
    """Its worker takes one at a time."""
    for job in jobs:
        job.report("cancelled")


@case("each claim hands out one token of its own, which no other answer repeats")
def _(server):
    trainer = Trainer(server)
    first = trainer.claim().must("running", "completed")
    second = trainer.claim().must("running")
    assert first.token != second.token and min(len(first.token), len(second.token)) >= 16
    second.log("x")
    second.measure({"step": 1})
    for what in ("status", "logs", "metrics"):
        assert second.token not in second.send("GET", what).text
    for path in ("/jobs/" + second.id, "/jobs/%s/attempts" % second.id, "/jobs/%s/events" % second.id, "/workers/" + trainer.id):
        assert second.token not in str(server.native("GET", path))
    done(second)


@case("a call without the job's own token is refused and writes nothing")
def _(server):
    trainer = Trainer(server)
    other = trainer.claim().must("running", "completed")
    job = trainer.claim().must("running")
    wrong = job.token[:-1] + ("A" if job.token[-1] != "A" else "B")
    refused = [{}] + [{"Authorization": value} for value in (
        "Bearer " + other.token, "Bearer " + wrong, "Bearer unknown", "Bearer " + trainer.key, "Basic " + job.token, job.token, "Bearer",
    )] + [{"X-API-Key": job.token}]
    calls = [
        ("PATCH", "status", {"status": "failed", "error": "x"}), ("GET", "status", None), ("POST", "logs", {"logs": ["x"]}),
        ("GET", "logs", None), ("PUT", "metrics", {"metrics": [{"step": 1}]}), ("GET", "metrics", None),
    ]
    for method, what, body in calls:
        for headers in refused:
            answer = one_of(job.send(method, what, body, headers=headers), *((401,) if headers == {} else (401, 403)))
            assert isinstance(answer.body["error"], str) and job.token not in answer.text, answer
        for unknown in ("job_01JDABCDEF0123456789ABCDEF", "x"):
            path = "%s/api/training/local/%s/%s" % (BASE, unknown, what)
            one_of(server.send(method, path, body, {"Authorization": "Bearer " + job.token}), 401, 403, 404)
    equal((job.look(), job.lines()["logs"], job.points()), ({"job_id": job.id, "status": "running", "error": None}, [], []))
    done(job)


@case("every allowed step is 200, every other 409 with state and error unchanged")
def _(server):
    trainer = Trainer(server)
    for before, allowed in ALLOWED.items():
        job = in_status(trainer, before)
        for status in [status for status in STATUSES if status not in allowed]:
            answer = job.report(status, error="must not be kept")
            assert answer.status == 409 and isinstance(answer.body["error"], str), (before, status, answer)
            equal(job.look(), {"job_id": job.id, "status": before, "error": None}, "%s after %s" % (before, status))
        done(job)
        for status in allowed:
            job = in_status(trainer, before).must(status)
            equal(job.look()["status"], status, "%s to %s" % (before, status))
            done(job)


@case("a final status said again changes nothing, and a failure without an error keeps the one it has")
def _(server):
    trainer = Trainer(server)
    job = trainer.claim().must("running")
    equal(job.report("failed", error="first").status, 200)
    for more in ({}, {"error": "second"}):
        equal(job.report("failed", **more).status, 200)
        equal(job.look(), {"job_id": job.id, "status": "failed", "error": "first"})


@case("of two final reports that race exactly one is taken, and the state is the winner's")
def _(server):
    trainer = Trainer(server)
    for one, other in (("completed", "failed"), ("cancelled", "completed"), ("failed", "cancelled")) * 3:
        job = trainer.claim().must("running")
        answers = in_parallel(2, lambda number: job.report((one, other)[number]))
        equal(sorted(answer.status for answer in answers), [200, 409], repr(answers))
        equal(job.look()["status"], one if answers[0].status == 200 else other)


@case("an error is kept verbatim, shown by our own interface, and null for a job that completed")
def _(server):
    trainer = Trainer(server)
    error = "Traceback (most recent call last):\n\tFile \"träin.py\"\r\n  💥 <b>&amp;</b>\n" + "x" * 8_000 + "\n\n"
    job = trainer.claim().must("running")
    equal(job.report("failed", error=error).status, 200)
    equal(job.look(), {"job_id": job.id, "status": "failed", "error": error})
    native = job.native()
    equal((native["status"], native["error"], native["workerId"]), ("failed", error, trainer.id))
    for status in ("completed", "cancelled"):
        job = trainer.claim().must("running")
        equal(job.report(status, error="nothing").status, 200)
        equal(job.look(), {"job_id": job.id, "status": status, "error": None})
        equal(job.native()["error"], None)


@case("a body that is not JSON, or has a field missing or of the wrong type, names the field and writes nothing")
def _(server):
    job = Trainer(server).claim().must("running")
    for raw in NOT_JSON + NO_OBJECTS:
        for method, what in (("PATCH", "status"), ("POST", "logs"), ("PUT", "metrics")):
            answer = job.send(method, what, raw=raw)
            assert answer.status in (400, 422) and "error" in answer.body, (what, raw, answer)
    point = {"step": 1, "epoch": 1, "train_loss": 0.5, "timestamp": "2026-11-22T10:00:00"}
    wrong = [("PATCH", "status", {"status": value}, "status") for value in ("Running", "claimed", "", None, 7)]
    wrong += [("PATCH", "status", {}, "status")]
    wrong += [("PATCH", "status", {"status": "failed", "error": value}, "error") for value in (7, [], {}, True)]
    wrong += [("POST", "logs", body, "logs") for body in ({}, {"logs": None}, {"logs": "x"}, {"logs": ["a", 7]}, {"logs": ["a", None]}, {"logs": {}})]
    wrong += [("PUT", "metrics", body, "metrics") for body in ({}, {"metrics": None}, {"metrics": {}}, {"metrics": [7]}, {"metrics": ["x"]})]
    for name, values in {
        "step": (MISSING, None, "1", True, []), "epoch": ("1", False, []), "train_loss": ("0.5", True), "eval_loss": ({},),
        "learning_rate": ("x",), "grad_norm": ([],), "samples_per_second": ("x",), "tokens_per_second": ("x",),
        "gpu_memory_allocated_gb": ("x",), "gpu_memory_reserved_gb": ("x",), "gpu_utilization_percent": (True,), "timestamp": (7, None),
    }.items():
        wrong += [("PUT", "metrics", {"metrics": [{"step": 0}, changed(dict(point, **{name: 1}), name, value)]}, name) for value in values]
    for method, what, body, name in wrong:
        answer = job.send(method, what, body)
        assert answer.status in (400, 422), (body, answer)
        assert "error" in names(answer, name).body
    equal((job.look()["status"], job.lines()["logs"], job.points()), ("running", [], []))
    done(job)


@case("lines are kept as they are, one element one line, whatever they hold")
def _(server):
    job = Trainer(server).claim().must("running")
    lines = [
        "plain", "", "  leading", "trailing  ", "a\nb", "\n", "\n\n", "\r\n", "\ttab", "\u0000nul\u0001\u001b[31mred", "<script>alert(1)</script>",
        "💥 é \u2028 \u2060 \u2060\u2028 \n\u2028\n\u2060", "\u2060\n", "x" * 20_000, "ü" * 10_000, '"quoted"\\n', "{}", "0",
    ]
    job.log(*lines)
    job.log(*reversed(lines))
    equal(job.lines(), {"logs": lines + lines[::-1], "total_lines": 2 * len(lines), "limit": 100, "offset": 0})
    for offset in range(len(lines)):
        equal(job.lines(offset=offset, limit=1)["logs"], [lines[offset]])
    job.log(*["y" * 20_000] * 100)
    equal(job.lines(offset=2 * len(lines), limit=1_000)["logs"], ["y" * 20_000] * 100)
    done(job)


@case("10,000 lines come back in the order in which they came, page by page")
def _(server):
    job = Trainer(server).claim().must("running")
    lines = ["line %d" % number for number in range(10_000)]
    for start in range(0, 10_000, 100):
        job.log(*lines[start:start + 100])
    equal(job.lines()["logs"], lines[:100])
    found = []
    for offset in range(0, 10_000, 1_000):
        page = job.lines(offset=offset, limit=1_000)
        equal((page["total_lines"], page["limit"], page["offset"]), (10_000, 1_000, offset))
        found += page["logs"]
    equal(found, lines)
    equal(job.lines(offset=9_999, limit=5)["logs"], lines[-1:])
    for offset in (10_000, 10**9):
        equal(job.lines(offset=offset), {"logs": [], "total_lines": 10_000, "limit": 100, "offset": offset})
    done(job)


@case("batches of lines that come at once are each kept whole")
def _(server):
    job = Trainer(server).claim().must("running")
    in_parallel(20, lambda number: job.log(*["%d-%d" % (number, line) for line in range(20)]))
    found = job.lines(limit=1_000)["logs"]
    batches = [found[start:start + 20] for start in range(0, 400, 20)]
    equal(sorted(batches), sorted(["%d-%d" % (number, line) for line in range(20)] for number in range(20)))
    done(job)


@case("an empty batch of lines is no fault, and limit and offset have their ranges")
def _(server):
    job = Trainer(server).claim().must("running")
    job.log()
    equal(job.lines(), {"logs": [], "total_lines": 0, "limit": 100, "offset": 0})
    for query in ("limit=0", "limit=1001", "limit=x", "limit=-1", "offset=-1", "offset=x", "limit=1.5"):
        one_of(job.send("GET", "logs?" + query), 400, 422)
    done(job)


@case("metrics come back ascending by step as they were sent, and a step told again replaces its point")
def _(server):
    job = Trainer(server).claim().must("running")
    full = {
        "step": 20, "epoch": 1.5, "train_loss": 0.25, "eval_loss": None, "learning_rate": 2e-05, "grad_norm": 1, "samples_per_second": 3.5,
        "tokens_per_second": 1_000, "gpu_memory_allocated_gb": 11.5, "gpu_memory_reserved_gb": 12, "gpu_utilization_percent": None,
        "timestamp": "2026-11-22T10:00:00.123456",
    }
    job.measure(full, {"step": 3})
    job.measure({"step": 10.5, "train_loss": -1}, {"step": 0, "epoch": 0})
    equal(job.points(), [{"step": 0, "epoch": 0}, {"step": 3}, {"step": 10.5, "train_loss": -1}, full])
    job.measure({"step": 3, "train_loss": 9}, {"step": 20, "eval_loss": 1})
    job.measure({"step": 3, "train_loss": 9, "unknown": "x"}, {"step": 4}, {"step": 4, "epoch": 2})
    equal(job.points(), [
        {"step": 0, "epoch": 0}, {"step": 3, "train_loss": 9}, {"step": 4, "epoch": 2}, {"step": 10.5, "train_loss": -1}, {"step": 20, "eval_loss": 1},
    ])
    job.measure()
    many = [{"step": step, "train_loss": 1 / (step + 1), "epoch": 1, "learning_rate": None} for step in range(1_000)]
    job.measure(*many)
    in_parallel(5, lambda _number: job.measure(*many))
    equal(job.points(), sorted(many + [{"step": 10.5, "train_loss": -1}], key=lambda point: point["step"]))
    done(job)


@case("a job keeps 100,000 points, and takes new ones in the place of old ones only")
def _(server):
    job = Trainer(server).claim().must("running")
    for start in range(0, 100_000, 20_000):
        job.measure(*[{"step": step} for step in range(start, start + 20_000)])
    names(one_of(job.send("PUT", "metrics", {"metrics": [{"step": 7, "epoch": 1}, {"step": -1}]}), 400), "metrics")
    job.measure({"step": 7, "epoch": 1})
    found = job.points()
    equal((len(found), found[7]), (100_000, {"step": 7, "epoch": 1}))
    done(job)


@case("logs, metrics and the token are taken after completed, failed and cancelled")
def _(server):
    trainer = Trainer(server)
    for status in ("completed", "failed", "cancelled"):
        job = trainer.claim().must("running", status)
        job.log("the last words")
        job.measure({"step": 1})
        equal((job.lines()["logs"], job.points(), job.look()["status"]), (["the last words"], [{"step": 1}], status))


@case("our own interface shows the job as it is told, with its worker, its lines and its numbers")
def _(server):
    trainer = Trainer(server)
    job = trainer.claim()
    equal(job.native()["status"], "assigned")
    for status in ("running", "paused", "running"):
        job.must(status)
        equal(job.native()["status"], status)
    job.log("first", "second")
    job.measure({"step": 7, "train_loss": 0.5, "eval_loss": None, "timestamp": "2026-11-22T10:00:00"})
    log = server.send("GET", "/api/v1/jobs/%s/logs/download" % job.id, headers={"Authorization": "Bearer " + server.admin_key})
    equal(log.text, "first\nsecond\n")
    [point] = server.native("GET", "/jobs/%s/metrics" % job.id)["data"]
    equal((point["step"], point["values"], point["at"]), (7, {"train_loss": 0.5}, "2026-11-22T10:00:00.000Z"))
    [attempt] = server.native("GET", "/jobs/%s/attempts" % job.id)["data"]
    equal(attempt["workerId"], trainer.id)
    job.must("completed")
    equal(job.native()["status"], "completed")


@case("a job that our people cancel is named with every heartbeat of its worker until it says how it ended")
def _(server):
    trainer = Trainer(server)
    job = trainer.claim().must("running")
    equal(trainer.beat().body, {"ok": True, "pending_commands": []})
    for force in (False, True):
        server.native("POST", "/jobs/%s/cancel" % job.id, {"force": force})
        for _ in range(2):
            [command] = trainer.beat().body["pending_commands"]
            equal((command["type"], command["job_id"], command["force"]), ("cancel", job.id, force))
            assert type(command["grace_seconds"]) is int and job.token not in str(command), command
        equal(job.look()["status"], "running")
    job.must("cancelled")
    equal((trainer.beat().body["pending_commands"], job.native()["status"]), ([], "cancelled"))


@case("a job that a drain takes off its worker is named as one to stop")
def _(server):
    trainer = Trainer(server)
    job = trainer.claim().must("running")
    server.native("POST", "/workers/%s/drain" % trainer.id, {"policy": "requeue", "deadlineSeconds": 0})

    def commands():
        return [(command["type"], command["job_id"]) for command in trainer.beat().body["pending_commands"]]

    eventually("told to stop", lambda: commands() == [("stop", job.id)])
    server.native("POST", "/workers/%s/undrain" % trainer.id, {})
    equal(commands(), [])
    done(job)


@case("a cancelled job whose worker never reacts ends when a person removes that worker")
def _(server):
    trainer = Trainer(server)
    job = trainer.claim().must("running")
    server.native("POST", "/jobs/%s/cancel" % job.id, {"force": True})
    trainer.beat()
    server.native("DELETE", "/workers/%s?force=true" % trainer.id)
    equal(job.native()["status"], "cancelled")
    one_of(job.report("completed"), 401, 403, 409)
    equal(job.native()["status"], "cancelled")


@case("a worker that says error is given no job until it says online")
def _(server):
    trainer = Trainer(server)
    trainer.beat("error")
    job = {"run": {"external": {"kind": "finetunelab", "payload": {}}}, "needs": {"labels": {"case": trainer.label}}}
    queued = server.native("POST", "/jobs", job)
    headers = {"Authorization": "Bearer " + trainer.key}

    def claim(wait):
        return server.send("POST", "/api/v1/workers/%s/claim" % trainer.id, {"waitSeconds": wait}, headers)

    for wait in (0, 1):
        equal(claim(wait).status, 204)
    explained = server.native("GET", "/jobs/%s/explain" % queued["id"])
    assert "its own program says error" in explained["detail"], explained
    trainer.beat()
    claimed = eventually("a claim", lambda: claim(5).text)
    done(Job(server, json.loads(claimed)["job"]["id"], json.loads(claimed)["jobToken"]))


class Stalled(Exception):
    """The machine stood still for as long as a lease: nothing was proven."""


def keep_three_while_one_is_lost(server):
    lost_after_seconds = 2
    lease_seconds = server.timeout_seconds + lost_after_seconds
    short = {"disconnect": {"lostAfterSeconds": lost_after_seconds, "onWorkerLost": "fail"}}
    trainer, caller, looker, quiet = [Trainer(server) for _ in range(4)]
    touched_at = time.monotonic()
    beaten, calling, looking, silent = [one.claim(**short) for one in (trainer, caller, looker, quiet)]

    def touch():
        trainer.beat()
        calling.log("still here")
        equal(looking.look()["status"], "running")
        equal([job.native()["status"] for job in (beaten, calling, looking)], ["running"] * 3)

    try:
        for job in (beaten, calling, looking, silent):
            job.must("running")
        until = time.monotonic() + 30
        while silent.native()["status"] != "failed":
            assert time.monotonic() < until, "the silent job is not lost"
            now = time.monotonic()
            touch()
            touched_at = now
            time.sleep(0.1)
    except AssertionError as wrong:
        if time.monotonic() - touched_at < lease_seconds:
            raise
        raise Stalled from wrong
    equal(silent.look()["status"], "failed")
    done(beaten, calling, looking)


@case("a heartbeat of its worker, and any call of the job, keeps the job for longer than its lease", waits=True)
def _(server):
    for tries_left in (2, 1, 0):
        try:
            return keep_three_while_one_is_lost(server)
        except Stalled:
            if tries_left == 0:
                raise


if __name__ == "__main__":
    main()
