"""Seed 002: a worker and an administrator of MoRAG, as their contract prints them."""
import time
import uuid
from datetime import datetime, timedelta

from contract import MISSING, NO_OBJECTS, NOT_JSON, case, changed, equal, eventually, in_parallel, main, names, one_of

WORKERS = "/compat/morag/api/v1/workers"
ZEROS = {
    "cpu_usage_percent": 0, "memory_usage_percent": 0, "gpu_usage_percent": 0, "avg_task_duration_seconds": 0,
    "active_tasks": 0, "completed_tasks": 0, "failed_tasks": 0,
}
NOT_FOUND = {"detail": "Worker not found"}


def fresh(prefix="worker"):
    return "%s-%s" % (prefix, uuid.uuid4().hex[:12])


def registration(worker_id=None, **changes):
    """Only what is required."""
    body = {
        "name": worker_id or fresh("name"),
        "capability": "gpu",
        "hardware": {"cpu_cores": 16, "memory_gb": 64.5},
        "location": {"hostname": "gpu-host", "ip_address": "10.0.0.7"},
    }
    if worker_id is not None:
        body["worker_id"] = worker_id
    body.update(changes)
    return body


def complete(worker_id):
    return {
        "worker_id": worker_id, "name": "GPU worker é", "capability": "hybrid",
        "hardware": {
            "cpu_cores": 8, "memory_gb": 32, "gpu_count": 2, "gpu_memory_gb": 24.5, "gpu_models": ["A", "B"], "disk_space_gb": 512.25,
        },
        "location": {"hostname": "h", "ip_address": "10.0.0.8", "port": 9000, "is_remote": False, "network_latency_ms": 1.5},
        "max_concurrent_tasks": 4, "supported_content_types": ["image", "text"], "tags": {"zone": "lab", "rack": "7"},
    }


def register(server, token, worker_id=None, **changes):
    return server.send("POST", WORKERS + "/register", {"registration": registration(worker_id, **changes), "auth_token": token})


def registered(server, token, **changes):
    worker_id = fresh()
    equal(register(server, token, worker_id, **changes).status, 200, "register")
    return worker_id


def beat_body(worker_id, status="online", **metrics):
    return {"worker_id": worker_id, "status": status, "metrics": metrics, "timestamp": datetime.utcnow().isoformat()}


def beat(server, worker_id, status="online", **metrics):
    return server.send("POST", "%s/%s/heartbeat" % (WORKERS, worker_id), beat_body(worker_id, status, **metrics))


def bearer(token):
    return {"Authorization": "Bearer " + token}


def listed(server, token):
    answer = one_of(server.send("GET", WORKERS, headers=bearer(token)), 200)
    assert isinstance(answer.body, list), answer
    return answer.body


def shown(server, token, worker_id):
    return one_of(server.send("GET", "%s/%s" % (WORKERS, worker_id), headers=bearer(token)), 200).body


def stats(server, token):
    return one_of(server.send("GET", WORKERS + "/stats", headers=bearer(token)), 200).body


def owner(server):
    """A fresh owner's key."""
    return server.key(fresh("owner"))[1]


@case("registering answers 200 and exactly three fields, and keeps the id as sent")
def _(server):
    for worker_id in (fresh(), "Wörker.%d:7" % id(server), fresh("x" * 300)):
        answer = register(server, owner(server), worker_id)
        equal(answer.status, 200)
        equal(answer.body, {"success": True, "message": "Worker registered successfully", "worker_id": worker_id})


@case("registering without an id gets one that nobody else has")
def _(server):
    token = owner(server)
    ids = [register(server, token).body["worker_id"] for _ in range(3)]
    equal(len(set(ids)), 3)
    for worker_id in ids:
        assert isinstance(worker_id, str) and len(worker_id) >= 16, worker_id
        equal(shown(server, token, worker_id)["registration"]["worker_id"], worker_id)
        equal(beat(server, worker_id).status, 200)


@case("registering with a token that is wrong, null, empty, missing or revoked is refused and stores nothing")
def _(server):
    name = fresh("refused")
    key_id, revoked = server.key(fresh("owner"))
    server.native("DELETE", "/keys/" + key_id)
    viewer = server.key(fresh("owner"), "viewer")[1]
    for token in ("wak_wrong", "anything", None, "", 7, revoked[:-1], revoked, viewer, MISSING):
        body = changed({"registration": registration(name), "auth_token": ""}, "auth_token", token)
        answer = server.send("POST", WORKERS + "/register", body)
        one_of(answer, 401, 403)
        assert isinstance(answer.body["detail"], str), answer
        assert not token or not isinstance(token, str) or token not in answer.text, answer
    equal(server.natives(name), [])


WRONG = {
    "registration": [MISSING, None, [], "text"],
    "registration.worker_id": [None, 7, "", [], {}],
    "registration.name": [MISSING, None, 7, []],
    "registration.capability": [MISSING, None, "GPU", "tpu", "", 7],
    "registration.hardware": [MISSING, None, [], "x"],
    "registration.hardware.cpu_cores": [MISSING, None, "8", 1.5, True, -1, 1e30],
    "registration.hardware.memory_gb": [MISSING, None, "64", True, -1, []],
    "registration.hardware.gpu_count": [None, "1", 0.5, False, -1, 10**9],
    "registration.hardware.gpu_memory_gb": [None, "24", True],
    "registration.hardware.gpu_models": [None, "A100", [7], {}, ["x" * 201], ["x"] * 1_025],
    "registration.hardware.disk_space_gb": [None, "1", True],
    "registration.location": [MISSING, None, [], "x"],
    "registration.location.hostname": [MISSING, None, 7],
    "registration.location.ip_address": [MISSING, None, 7],
    "registration.location.port": [None, "80", 80.5, True, -1, 65_536],
    "registration.location.is_remote": [None, "true", 1],
    "registration.location.network_latency_ms": ["1", True],
    "registration.max_concurrent_tasks": [None, "1", 1.5, True, 0, -1],
    "registration.supported_content_types": [None, "text", [None], {}, ["x" * 201], ["x"] * 65],
    "registration.tags": [None, [], "x", {"a": 1}, {"a": None}, {"a": "x" * 257}, {"x" * 257: "a"}, {str(number): "" for number in range(65)}],
}


@case("a registration with a field missing, of the wrong type or out of its list names the field and stores nothing")
def _(server):
    token = owner(server)
    body = {"registration": complete(fresh()), "auth_token": token}
    for path, values in WRONG.items():
        for value in values:
            answer = server.send("POST", WORKERS + "/register", changed(body, path, value))
            assert answer.status in (400, 422), (path, value, answer)
            names(answer, path.split(".")[-1])
            assert "detail" in answer.body, answer
            assert token not in answer.text, answer
    equal(listed(server, token), [])


@case("a body that is not JSON or not an object is refused, never with 5xx")
def _(server):
    worker_id = registered(server, owner(server))
    for raw in NOT_JSON + NO_OBJECTS:
        for path in ("/register", "/%s/heartbeat" % worker_id):
            for headers in ({}, {"Content-Type": "text/plain"}):
                answer = server.send("POST", WORKERS + path, raw=raw, headers=headers)
                assert answer.status in (400, 422), (raw, path, answer)
                assert "detail" in answer.body, answer


@case("a registration is returned complete, with the defaults filled in")
def _(server):
    token = owner(server)
    worker_id = registered(server, token)
    equal(shown(server, token, worker_id)["registration"], {
        "worker_id": worker_id, "name": worker_id, "capability": "gpu",
        "hardware": {
            "cpu_cores": 16, "memory_gb": 64.5, "gpu_count": 0, "gpu_memory_gb": 0, "gpu_models": [], "disk_space_gb": 0,
        },
        "location": {"hostname": "gpu-host", "ip_address": "10.0.0.7", "port": 8000, "is_remote": True, "network_latency_ms": None},
        "max_concurrent_tasks": 1, "supported_content_types": [], "tags": {},
    })
    whole = complete(fresh())
    equal(server.send("POST", WORKERS + "/register", {"registration": whole, "auth_token": token}).status, 200)
    equal(shown(server, token, whole["worker_id"])["registration"], whole)


@case("unknown fields are ignored")
def _(server):
    token = owner(server)
    worker_id = fresh()
    given = registration(worker_id, unknown=[1, {"a": None}])
    given["hardware"]["unknown"] = "x"
    answer = server.send("POST", WORKERS + "/register", {"registration": given, "auth_token": token, "unknown": True})
    equal(answer.status, 200, repr(answer))
    assert "unknown" not in shown(server, token, worker_id)["registration"]
    body = dict(beat_body(worker_id, unknown=1), unknown={})
    equal(server.send("POST", "%s/%s/heartbeat" % (WORKERS, worker_id), body).status, 200)
    equal(shown(server, token, worker_id)["metrics"], ZEROS)


@case("a body counts for JSON also where its media type is another or none")
def _(server):
    worker_id = registered(server, owner(server))
    for media in ("application/x-www-form-urlencoded", "text/plain", ""):
        path = "%s/%s/heartbeat" % (WORKERS, worker_id)
        equal(server.send("POST", path, beat_body(worker_id), {"Content-Type": media}).status, 200, media)


@case("the id of another owner's worker is refused and nothing changes")
def _(server):
    token, other = owner(server), owner(server)
    worker_id = registered(server, token)
    beat(server, worker_id, "busy", active_tasks=1)
    before = shown(server, token, worker_id)
    one_of(register(server, other, worker_id, name="stolen"), 401, 403, 409)
    after = shown(server, token, worker_id)
    equal(after, before)
    equal(listed(server, other), [])
    equal([worker["name"] for worker in server.natives(worker_id)], [worker_id])


@case("a heartbeat answers 200 and exactly two fields, without any credential")
def _(server):
    worker_id = registered(server, owner(server))
    answer = beat(server, worker_id, cpu_usage_percent=12.5, active_tasks=1)
    equal(answer.status, 200)
    equal(answer.body, {"success": True, "message": "Heartbeat updated"})


@case("a heartbeat's figures may be int or float, and those left out are 0")
def _(server):
    token = owner(server)
    worker_id = registered(server, token)
    equal(beat(server, worker_id, cpu_usage_percent=55, memory_usage_percent=41.25, completed_tasks=7).status, 200)
    equal(shown(server, token, worker_id)["metrics"], dict(ZEROS, cpu_usage_percent=55, memory_usage_percent=41.25, completed_tasks=7))
    equal(beat(server, worker_id, gpu_usage_percent=99.9, avg_task_duration_seconds=3, failed_tasks=2).status, 200)
    equal(
        shown(server, token, worker_id)["metrics"], dict(ZEROS, gpu_usage_percent=99.9, avg_task_duration_seconds=3, failed_tasks=2),
    )


@case("each of the five statuses is shown as it was said, here and in our own interface")
def _(server):
    token = owner(server)
    worker_id = registered(server, token)
    for status in ("busy", "error", "maintenance", "offline", "online"):
        equal(beat(server, worker_id, status).status, 200, status)
        equal(shown(server, token, worker_id)["status"], status)
        [native] = server.natives(worker_id)
        equal((native["status"], native["reportedStatus"]), (status, status))


@case("a heartbeat with another id in its body than in its path is a mismatch and changes nothing")
def _(server):
    token = owner(server)
    one, other = registered(server, token), registered(server, token)
    for path_id in (one, fresh()):
        answer = server.send("POST", "%s/%s/heartbeat" % (WORKERS, path_id), beat_body(other, "error"))
        equal((answer.status, answer.body), (400, {"detail": "Worker ID mismatch"}))
    equal([info["status"] for info in listed(server, token)], ["online", "online"])


@case("a heartbeat of an unknown worker is 404, also under the id of a worker of ours")
def _(server):
    ours = server.send(
        "POST", "/compat/finetunelab/api/workers/register",
        {"api_key": owner(server), "hostname": fresh(), "platform": "linux", "version": "1"},
    ).body["worker_id"]
    for worker_id in (fresh(), "stats", "register", ours):
        answer = beat(server, worker_id)
        equal((answer.status, answer.body), (404, NOT_FOUND))


@case("a heartbeat with a field missing, of the wrong type or out of its list names the field and changes nothing")
def _(server):
    token = owner(server)
    worker_id = registered(server, token)
    number = [None, "1", True, [], -1]
    wrong = {
        "worker_id": [MISSING, None, 7],
        "status": [MISSING, None, "Online", "idle", "", 7],
        "metrics": [MISSING, None, [], "x"],
        "timestamp": [7, "", "yesterday", "2026-13-01T00:00:00", []],
        "metrics.cpu_usage_percent": number, "metrics.memory_usage_percent": number, "metrics.gpu_usage_percent": number,
        "metrics.avg_task_duration_seconds": number,
        "metrics.active_tasks": number + [1.5, 1e30], "metrics.completed_tasks": number + [0.5], "metrics.failed_tasks": number + [0.5],
    }
    body = {"worker_id": worker_id, "status": "error", "metrics": dict(ZEROS, active_tasks=9), "timestamp": "2026-11-22T10:00:00"}
    before = shown(server, token, worker_id)
    for path, values in wrong.items():
        for value in values:
            answer = server.send("POST", "%s/%s/heartbeat" % (WORKERS, worker_id), changed(body, path, value))
            assert answer.status in (400, 422), (path, value, answer)
            names(answer, path.split(".")[-1])
    equal(shown(server, token, worker_id), before)


@case("a heartbeat's timestamp may be missing, and have an offset or none")
def _(server):
    worker_id = registered(server, owner(server))
    for timestamp in (MISSING, "2026-11-22T10:00:00", "2026-11-22T10:00:00.123456", "2026-11-22T10:00:00Z", "2026-11-22T12:00:00+02:00"):
        body = changed(beat_body(worker_id), "timestamp", timestamp)
        equal(server.send("POST", "%s/%s/heartbeat" % (WORKERS, worker_id), body).status, 200, repr(timestamp))


@case("20 heartbeats of one worker in parallel all succeed")
def _(server):
    token = owner(server)
    worker_id = registered(server, token)
    answers = in_parallel(20, lambda number: beat(server, worker_id, active_tasks=number))
    equal([answer.status for answer in answers], [200] * 20)
    equal(len(listed(server, token)), 1)


@case("unregistering answers exactly two fields once, then 404, and the worker is gone")
def _(server):
    token = owner(server)
    worker_id, other = registered(server, token), registered(server, token)
    answer = server.send("DELETE", "%s/%s" % (WORKERS, worker_id))
    equal((answer.status, answer.body), (200, {"success": True, "message": "Worker unregistered"}))
    for again in (worker_id, fresh(), "stats", "%00"):
        answer = server.send("DELETE", "%s/%s" % (WORKERS, again))
        equal((answer.status, answer.body), (404, NOT_FOUND))
    equal([info["registration"]["worker_id"] for info in listed(server, token)], [other])
    answer = server.send("GET", "%s/%s" % (WORKERS, worker_id), headers=bearer(token))
    equal((answer.status, answer.body), (404, NOT_FOUND))
    equal(beat(server, worker_id).status, 404)
    equal(server.natives(worker_id), [])


@case("an id that was unregistered may be registered again, by anybody")
def _(server):
    for token, other in [(owner(server), owner(server))] * 2:
        worker_id = registered(server, token)
        server.send("DELETE", "%s/%s" % (WORKERS, worker_id))
        equal(register(server, other, worker_id).status, 200)
        equal(len(listed(server, other)), 1)
        server.send("DELETE", "%s/%s" % (WORKERS, worker_id))
        equal(register(server, token, worker_id).status, 200)
        equal([info["status"] for info in listed(server, token)], ["online"])
        server.send("DELETE", "%s/%s" % (WORKERS, worker_id))


@case("the list is a plain array of the owner's workers only, each exactly as printed")
def _(server):
    token, other = owner(server), owner(server)
    equal(listed(server, token), [])
    ids = [registered(server, token) for _ in range(3)]
    registered(server, other)
    found = listed(server, token)
    equal(sorted(info["registration"]["worker_id"] for info in found), sorted(ids))
    for info in found:
        equal(sorted(info), ["last_heartbeat", "metrics", "registered_at", "registration", "status", "version"])
        equal((info["version"], info["status"], info["metrics"]), ("1.0.0", "online", ZEROS))


@case("moments are in UTC without an offset, so that the clients' model can subtract them")
def _(server):
    token = owner(server)
    worker_id = registered(server, token)
    registered_at = datetime.fromisoformat(shown(server, token, worker_id)["registered_at"])
    beat(server, worker_id)
    last_heartbeat = datetime.fromisoformat(shown(server, token, worker_id)["last_heartbeat"])
    for moment in (registered_at, last_heartbeat):
        assert moment.tzinfo is None, moment
        assert abs(datetime.utcnow() - moment) < timedelta(minutes=2), moment
    assert last_heartbeat >= registered_at, (registered_at, last_heartbeat)


@case("whoever shows no worker key as bearer reads no worker ids")
def _(server):
    token = owner(server)
    worker_id = registered(server, token)
    headers = [{}, bearer("wak_wrong"), bearer(""), {"Authorization": "Basic " + token}, {"Authorization": token}, {"X-API-Key": token}]
    for path in ("", "/stats", "/" + worker_id):
        for given in headers + [bearer(server.key(fresh("owner"), "viewer")[1])]:
            answer = one_of(server.send("GET", WORKERS + path, headers=given), 401, 403)
            assert "detail" in answer.body and token not in answer.text, answer


@case("one worker is shown to its owner, and is not found by others")
def _(server):
    token = owner(server)
    worker_id = registered(server, token)
    equal(shown(server, token, worker_id)["registration"]["worker_id"], worker_id)
    for given, sought in ((owner(server), worker_id), (token, fresh()), (token, "%00")):
        answer = server.send("GET", "%s/%s" % (WORKERS, sought), headers=bearer(given))
        equal((answer.status, answer.body), (404, NOT_FOUND))


@case("the counts are exactly eight integers, of the owner's workers only")
def _(server):
    token = owner(server)
    zero = dict.fromkeys(("total", "online", "offline", "busy", "gpu_workers", "cpu_workers", "hybrid_workers", "available"), 0)
    equal(stats(server, token), zero)
    registered(server, owner(server))
    free = registered(server, token, capability="cpu", max_concurrent_tasks=2)
    full = registered(server, token, capability="cpu", max_concurrent_tasks=2)
    beat(server, free, active_tasks=1)
    beat(server, full, active_tasks=2)
    for status, capability in (("busy", "gpu"), ("error", "gpu"), ("maintenance", "hybrid"), ("offline", "hybrid"), ("offline", "cpu")):
        beat(server, registered(server, token, capability=capability), status)
    found = stats(server, token)
    equal(found, {
        "total": 7, "online": 2, "offline": 2, "busy": 1, "gpu_workers": 2, "cpu_workers": 3, "hybrid_workers": 2, "available": 1,
    })
    assert all(type(count) is int for count in found.values()), found


@case("`stats` is not a worker id")
def _(server):
    token = owner(server)
    names(one_of(register(server, token, "stats"), 400, 422), "worker_id")
    equal(stats(server, token)["total"], 0)


@case("registering again makes the worker online, resets its metrics and updates everything, never adding a second entry")
def _(server):
    name = fresh("owner")
    token, newer = server.key(name)[1], server.key(name)[1]
    whole = complete(fresh())
    worker_id = registered(server, token)
    for key in (token, newer):
        equal(beat(server, worker_id, "error", active_tasks=5, cpu_usage_percent=3).status, 200)
        given = dict(whole, worker_id=worker_id, name="renamed by " + key[-6:])
        equal(server.send("POST", WORKERS + "/register", {"registration": given, "auth_token": key}).status, 200)
        [info] = listed(server, token)
        equal((info["registration"], info["status"], info["metrics"]), (given, "online", ZEROS))
        [native] = server.natives(given["name"])
        equal((native["slots"], native["capability"], native["labels"]), (4, "hybrid", whole["tags"]))


@case("20 registrations of one worker in parallel all succeed and make one entry, by whichever key of its owner")
def _(server):
    name = fresh("owner")
    tokens = [server.key(name)[1], server.key(name)[1]]
    for _round in range(3):
        worker_id = fresh()
        answers = in_parallel(20, lambda number: register(server, tokens[number % 2], worker_id, max_concurrent_tasks=number + 1))
        equal([answer.status for answer in answers], [200] * 20, repr(answers))
        equal([info["status"] for info in listed(server, tokens[0]) if info["registration"]["worker_id"] == worker_id], ["online"])
        equal(len(server.natives(worker_id)), 1)


@case("a worker stands in our own list as soon as the call is answered, and is offered no job of ours")
def _(server):
    whole = dict(complete(fresh()), name=fresh("shown"))
    server.send("POST", WORKERS + "/register", {"registration": whole, "auth_token": owner(server)})
    [native] = server.natives(whole["name"])
    equal((native["status"], native["reportedStatus"], native["load"], native["adapter"]), ("online", "online", 0, "morag"))
    equal((native["capability"], native["contentTypes"], native["labels"]), ("hybrid", ["image", "text"], whole["tags"]))
    equal((native["inventory"]["hostname"], native["inventory"]["cpuCores"], native["inventory"]["runKinds"]), ("h", 8, []))
    equal((native["slots"], native["foreignId"]), (4, whole["worker_id"]))
    beat(server, whole["worker_id"], "busy", active_tasks=3, cpu_usage_percent=12.5)
    [native] = server.natives(whole["name"])
    equal((native["status"], native["load"], native["metrics"]["cpu_usage_percent"]), ("busy", 3, 12.5))
    job = server.native("POST", "/jobs", {"run": {"command": ["true"]}, "needs": {"labels": {"zone": "lab"}}})
    explained = server.native("GET", "/jobs/%s/explain" % job["id"])
    assert "runs nothing" in str(explained), explained
    equal(server.native("GET", "/jobs/" + job["id"])["status"], "queued")
    server.native("POST", "/jobs/%s/cancel" % job["id"])


@case("what our people order about a worker shows as maintenance, and it is not available meanwhile")
def _(server):
    token = owner(server)
    worker_id = registered(server, token)
    [native] = server.natives(worker_id)
    server.native("POST", "/workers/%s/cordon" % native["id"], {})
    equal(beat(server, worker_id).status, 200)
    equal((shown(server, token, worker_id)["status"], stats(server, token)["available"]), ("maintenance", 0))
    server.native("POST", "/workers/%s/undrain" % native["id"], {})
    equal((shown(server, token, worker_id)["status"], stats(server, token)["available"]), ("online", 1))


@case("a worker that our people removed is gone there, and may register again")
def _(server):
    token = owner(server)
    worker_id = registered(server, token)
    [native] = server.natives(worker_id)
    equal(native["versionSkew"], "unknown")
    server.native("DELETE", "/workers/" + native["id"])
    equal((beat(server, worker_id).status, listed(server, token)), (404, []))
    equal(register(server, token, worker_id).status, 200)
    equal(len(listed(server, token)), 1)
    equal(server.native("GET", "/workers/" + native["id"])["removedAt"] is None, False)


@case("the id under which a worker speaks without a credential is shown to no mere viewer")
def _(server):
    worker_id = registered(server, owner(server))
    viewer = bearer(server.key(fresh("owner"), "viewer")[1])
    [native] = server.natives(worker_id)
    for path in ("/api/v1/workers/" + native["id"], "/api/v1/workers?limit=200&q=" + worker_id):
        found = server.send("GET", path, headers=viewer).body
        equal([one["foreignId"] for one in found.get("data", [found])], [None])


@case("what a viewer sees of a worker whose id the server made opens nothing")
def _(server):
    token, name = owner(server), fresh("name")
    worker_id = register(server, token, name=name).body["worker_id"]
    viewer = bearer(server.key(fresh("owner"), "viewer")[1])
    answer = one_of(server.send("GET", "/api/v1/workers?limit=200&q=" + name, headers=viewer), 200)
    [seen] = answer.body["data"]
    assert worker_id not in answer.text, answer
    equal(beat(server, seen["id"], "error").status, 404)
    equal(server.send("DELETE", "%s/%s" % (WORKERS, seen["id"])).status, 404)
    equal(shown(server, token, worker_id)["status"], "online")


@case("a worker that fell silent is offline and not available, and a heartbeat or a registration brings it back", waits=True)
def _(server):
    token = owner(server)
    ids = [registered(server, token), registered(server, token)]

    def both_are_back():
        equal(beat(server, ids[0]).status, 200)
        equal(register(server, token, ids[1]).status, 200)
        equal(sorted(info["registration"]["worker_id"] for info in listed(server, token)), sorted(ids))
        return stats(server, token)

    # Again and again: on a machine that stalls they may be silent once more before anybody looks.
    eventually("both available", lambda: both_are_back()["available"] == 2)
    eventually("both offline", lambda: [info["status"] for info in listed(server, token)] == ["offline"] * 2)
    counts = stats(server, token)
    equal((counts["total"], counts["online"], counts["offline"], counts["available"]), (2, 0, 2, 0))
    equal([worker["status"] for worker in server.natives(ids[0])], ["offline"])
    eventually("both available again", lambda: both_are_back()["available"] == 2)


@case("a client's clock neither keeps a silent worker alive nor ends one that beats", waits=True)
def _(server):
    token = owner(server)
    silent, beating = registered(server, token), registered(server, token)
    ahead = dict(beat_body(silent), timestamp="2099-01-01T00:00:00")
    equal(server.send("POST", "%s/%s/heartbeat" % (WORKERS, silent), ahead).status, 200)

    def silent_is_offline():
        behind = dict(beat_body(beating), timestamp="2001-01-01T00:00:00")
        sent_at = time.monotonic()
        equal(server.send("POST", "%s/%s/heartbeat" % (WORKERS, beating), behind).status, 200)
        status = shown(server, token, beating)["status"]
        # A machine that stalled for as long as that made it silent.
        assert status == "online" or time.monotonic() - sent_at > server.timeout_seconds, status
        return shown(server, token, silent)["status"] == "offline"

    eventually("the silent one is offline", silent_is_offline)


@case("a worker whose key was revoked is heard no more, until it registers with another key of its owner")
def _(server):
    name = fresh("owner")
    key_id, token = server.key(name)
    newer = server.key(name)[1]
    worker_id = registered(server, token)
    server.native("DELETE", "/keys/" + key_id)
    equal(beat(server, worker_id, "error").status, 404)
    equal(shown(server, newer, worker_id)["status"], "online")
    equal(register(server, newer, worker_id).status, 200)
    equal(beat(server, worker_id).status, 200)


if __name__ == "__main__":
    main()
