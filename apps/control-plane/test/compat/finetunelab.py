"""Seed 000: a worker of FineTune Lab that registers and sends heartbeats, as its contract prints them."""
import uuid

from contract import MISSING, NO_OBJECTS, NOT_JSON, case, changed, equal, eventually, in_parallel, main, names, one_of

WORKERS = "/compat/finetunelab/api/workers"


def fresh(prefix="host"):
    return "%s-%s" % (prefix, uuid.uuid4().hex[:12])


def registration(key, hostname):
    return {
        "api_key": key, "hostname": hostname, "platform": "linux", "version": "1.4.0",
        "capabilities": ["training", "inference", "cuda"], "metadata": {"gpu": {"name": "A100", "memory": [40, 80]}},
    }


def register(server, key, hostname, **changes):
    return server.send("POST", WORKERS + "/register", dict(registration(key, hostname), **changes))


def registered(server, key, hostname=None):
    return one_of(register(server, key, hostname or fresh()), 200, 201).body["worker_id"]


def beat(server, key, worker_id, body=None):
    headers = {} if key is None else {"X-API-Key": key}
    return server.send("POST", "%s/%s/heartbeat" % (WORKERS, worker_id), {"status": "online"} if body is None else body, headers)


def beat_body():
    return {
        "status": "online", "current_load": 1,
        "metrics": {"cpu_percent": 12.5, "memory_used_mb": 2048, "memory_total_mb": 16384.5},
    }


def native(server, hostname):
    [worker] = server.natives(hostname)
    return worker


def owner(server):
    """A fresh owner's key."""
    return server.key(fresh("owner"))[1]


@case("registering answers an id, a socket address, an interval and a concurrency, of the types that are printed")
def _(server):
    answer = one_of(register(server, owner(server), fresh()), 200, 201)
    body = answer.body
    assert body["worker_id"].startswith("wkr_"), body
    assert body["websocket_url"].startswith("ws://%s:%d/" % (server.address.hostname, server.address.port)), body
    for name in ("heartbeat_interval_seconds", "max_concurrency"):
        assert type(body[name]) is int and body[name] >= 1, body
    assert body["heartbeat_interval_seconds"] <= server.timeout_seconds / 2 or body["heartbeat_interval_seconds"] == 1, body


@case("registering needs the first four fields only, and takes unknown ones")
def _(server):
    body = {"api_key": owner(server), "hostname": fresh(), "platform": "darwin", "version": "2"}
    one_of(server.send("POST", WORKERS + "/register", body), 200, 201)
    one_of(server.send("POST", WORKERS + "/register", dict(body, unknown={"a": [1]}, platform="windows")), 200, 201)
    worker = native(server, body["hostname"])
    equal((worker["features"], worker["inventory"]["platform"], worker["agentVersion"]), ([], "windows", "2"))


@case("an unknown, revoked or missing api_key is refused by name and stores nothing")
def _(server):
    hostname = fresh("refused")
    key_id, revoked = server.key(fresh("owner"))
    server.native("DELETE", "/keys/" + key_id)
    viewer = server.key(fresh("owner"), "viewer")[1]
    for key in ("wak_unknown", "x", revoked, viewer):
        answer = names(one_of(register(server, key, hostname), 401, 403), "api_key")
        assert isinstance(answer.body["error"], str) and key not in answer.text.replace("api_key", ""), answer
    for key in (MISSING, None, "", 7, []):
        body = changed(registration("", hostname), "api_key", key)
        names(one_of(server.send("POST", WORKERS + "/register", body), 400, 401, 422), "api_key")
    body = changed(registration("", hostname), "api_key", MISSING)
    one_of(server.send("POST", WORKERS + "/register", body, {"X-API-Key": owner(server)}), 400, 401, 422)
    equal(server.natives(hostname), [])


@case("a registration with a field missing, of the wrong type or out of its list names the field and stores nothing")
def _(server):
    key, hostname = owner(server), fresh("refused")
    wrong = {
        "hostname": [MISSING, None, "", 7, [], "x" * 300],
        "platform": [MISSING, None, "Linux", "win32", "", 7],
        "version": [MISSING, None, 1.4, {}],
        "capabilities": [None, "training", [7], {}, ["x" * 201], ["x"] * 65],
        "metadata": [None, [], "x", 7, {"long": "x" * 16_384}],
    }
    for path, values in wrong.items():
        for value in values:
            answer = server.send("POST", WORKERS + "/register", changed(registration(key, hostname), path, value))
            assert answer.status in (400, 422), (path, value, answer)
            names(answer, path)
            assert "error" in answer.body and key not in answer.text, answer
    equal(server.natives(hostname), [])


@case("a body that is not JSON or not an object is refused, never with 5xx")
def _(server):
    key = owner(server)
    worker_id = registered(server, key)
    for raw in NOT_JSON + NO_OBJECTS:
        for path in ("/register", "/%s/heartbeat" % worker_id):
            for media in ("application/json", "text/plain"):
                answer = server.send("POST", WORKERS + path, raw=raw, headers={"X-API-Key": key, "Content-Type": media})
                assert answer.status in (400, 422), (raw, path, answer)
                assert "error" in answer.body, answer


@case("a heartbeat answers ok and an empty list of commands")
def _(server):
    key = owner(server)
    worker_id = registered(server, key)
    for body in ({"status": "online"}, beat_body(), dict(beat_body(), unknown=[{}])):
        answer = beat(server, key, worker_id, body)
        equal((answer.status, answer.body), (200, {"ok": True, "pending_commands": []}))


@case("a heartbeat without a key, with an empty or an unknown one, or with one in its body, is refused and changes nothing")
def _(server):
    key, hostname = owner(server), fresh()
    worker_id = registered(server, key, hostname)
    for headers in ({}, {"X-API-Key": ""}, {"X-API-Key": "wak_unknown"}, {"Authorization": "Bearer " + key}):
        body = {"status": "error", "current_load": 7, "api_key": key}
        answer = one_of(server.send("POST", "%s/%s/heartbeat" % (WORKERS, worker_id), body, headers), 401, 403)
        assert "error" in answer.body and key not in answer.text, answer
    worker = native(server, hostname)
    equal((worker["reportedStatus"], worker["load"]), ("online", None))


@case("a heartbeat with the valid key of another owner is refused and changes nothing")
def _(server):
    key, hostname = owner(server), fresh()
    worker_id = registered(server, key, hostname)
    one_of(beat(server, owner(server), worker_id, {"status": "error", "current_load": 7}), 403, 404)
    worker = native(server, hostname)
    equal((worker["status"], worker["reportedStatus"], worker["load"]), ("online", "online", None))


@case("a heartbeat of an unknown worker with a valid key is 404, whatever its id looks like")
def _(server):
    key = owner(server)
    for worker_id in ("wkr_01JDABCDEF0123456789ABCDEF", "x", "register", "%00", "a%2Fb", "%F0%9F%98%80"):
        answer = beat(server, key, worker_id)
        assert answer.status == 404 and "error" in answer.body, (worker_id, answer)


@case("a heartbeat with a field missing, of the wrong type or out of its list names the field and changes nothing")
def _(server):
    key, hostname = owner(server), fresh()
    worker_id = registered(server, key, hostname)
    number = [MISSING, None, "1", True, [], -1]
    wrong = {
        "status": [MISSING, None, "Online", "ONLINE", "busy", "offline", "", 7],
        "current_load": [None, -1, 1.5, "1", True, [], 1e30],
        "metrics": [None, [], "x", 7],
        "metrics.cpu_percent": number, "metrics.memory_used_mb": number, "metrics.memory_total_mb": number,
    }
    for path, values in wrong.items():
        for value in values:
            answer = beat(server, key, worker_id, changed(dict(beat_body(), status="error"), path, value))
            assert answer.status in (400, 422), (path, value, answer)
            names(answer, path.split(".")[-1])
            assert "error" in answer.body, answer
    worker = native(server, hostname)
    equal((worker["reportedStatus"], worker["load"], worker["metrics"]), ("online", None, None))


@case("our own list shows the worker once, with all it said, as soon as the call is answered")
def _(server):
    key, hostname = owner(server), fresh()
    worker_id = registered(server, key, hostname)
    worker = native(server, hostname)
    equal((worker["id"], worker["name"], worker["status"], worker["adapter"]), (worker_id, hostname, "online", "finetunelab"))
    equal((worker["inventory"]["hostname"], worker["inventory"]["platform"], worker["agentVersion"]), (hostname, "linux", "1.4.0"))
    equal((worker["features"], worker["inventory"]["runKinds"]), (["training", "inference", "cuda"], ["external:finetunelab"]))
    equal(beat(server, key, worker_id, beat_body()).status, 200)
    worker = native(server, hostname)
    equal((worker["load"], worker["metrics"]), (1, beat_body()["metrics"]))


@case("an error is shown, and cleared by the next heartbeat that says online")
def _(server):
    key, hostname = owner(server), fresh()
    worker_id = registered(server, key, hostname)
    for status in ("error", "online", "error", "online"):
        equal(beat(server, key, worker_id, {"status": status}).status, 200)
        worker = native(server, hostname)
        equal((worker["status"], worker["reportedStatus"]), (status, status))


@case("what a heartbeat leaves out keeps its last value")
def _(server):
    key, hostname = owner(server), fresh()
    worker_id = registered(server, key, hostname)
    beat(server, key, worker_id, beat_body())
    beat(server, key, worker_id, {"status": "online"})
    worker = native(server, hostname)
    equal((worker["load"], worker["metrics"]), (1, beat_body()["metrics"]))
    beat(server, key, worker_id, {"status": "online", "current_load": 0})
    worker = native(server, hostname)
    equal((worker["load"], worker["metrics"]), (0, beat_body()["metrics"]))
    integers = {"cpu_percent": 3, "memory_used_mb": 1, "memory_total_mb": 2}
    beat(server, key, worker_id, {"status": "online", "metrics": integers})
    worker = native(server, hostname)
    equal((worker["load"], worker["metrics"]), (0, integers))


@case("other hostnames, and other owners with the same hostname, are other workers")
def _(server):
    key, hostname = owner(server), fresh()
    ids = {registered(server, key, hostname), registered(server, key, hostname + "-b"), registered(server, owner(server), hostname)}
    equal(len(ids), 3)
    equal({worker["id"] for worker in server.natives(hostname)}, ids)


@case("the same key and hostname may register again, and are the same worker")
def _(server):
    key, hostname = owner(server), fresh()
    worker_id = registered(server, key, hostname)
    beat(server, key, worker_id, dict(beat_body(), status="error"))
    equal(register(server, key, hostname, version="1.5.0").body["worker_id"], worker_id)
    worker = native(server, hostname)
    equal((worker["status"], worker["agentVersion"], worker["load"]), ("online", "1.5.0", 1))
    equal(beat(server, key, worker_id).status, 200)


@case("20 registrations of one machine in parallel all succeed and make one worker")
def _(server):
    key, hostname = owner(server), fresh()
    answers = in_parallel(20, lambda _number: register(server, key, hostname))
    equal({answer.status for answer in answers} <= {200, 201}, True, repr(answers))
    equal(len({answer.body["worker_id"] for answer in answers}), 1)
    native(server, hostname)


@case("20 heartbeats of one worker in parallel all succeed")
def _(server):
    key, hostname = owner(server), fresh()
    worker_id = registered(server, key, hostname)
    answers = in_parallel(20, lambda number: beat(server, key, worker_id, dict(beat_body(), current_load=number)))
    equal([answer.status for answer in answers], [200] * 20)
    assert native(server, hostname)["load"] in range(20)


@case("a worker that fell silent is offline, and its next heartbeat brings it back", waits=True)
def _(server):
    key, hostname = owner(server), fresh()
    worker_id = registered(server, key, hostname)
    eventually("offline", lambda: native(server, hostname)["status"] == "offline")
    equal(beat(server, key, worker_id).status, 200)
    equal(native(server, hostname)["status"], "online")


if __name__ == "__main__":
    main()
