#!/usr/bin/env python3
"""A worker, in a few lines of the standard library: MUSTER_URL=http://127.0.0.1:6878 MUSTER_KEY=wak_... python3 worker.py"""
import json, os, socket, threading, time, urllib.error, urllib.request

me, held, stopped, lock = {}, {}, {}, threading.Lock()

def post(path, body, key=os.environ["MUSTER_KEY"]):
    head = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    while True:  # What was not answered is said again: every call means the same the second time.
        try:
            request = urllib.request.Request(f"{os.environ['MUSTER_URL']}/api/v1{path}", json.dumps(body).encode(), head)
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429: raise
        except OSError: pass
        time.sleep(1)

def say(verb, body):
    while True:
        session = me["session"]
        try: return post(f"/workers/{me['workerId']}/{verb}", {"session": session, "executions": list(held.values()), **body})
        except urllib.error.HTTPError as error:
            with lock:  # 404: nobody knows this worker, so it registers again. 409: another program is this worker now.
                if me["session"] == session and error.code == 404: me.update(register())
                elif me["session"] == session: raise

def register():
    return post("/workers/register", {"name": socket.gethostname(), "runKinds": ["external:http"], "executions": list(held.values())})

def beat():
    while True:
        for command in say("heartbeat", {})["commands"]:  # A planned stop is the worker's: the job goes on elsewhere.
            stopped[command["attemptId"]] = "stopped" if command.get("isPlanned") else "cancelled"
        time.sleep(me["beatIntervalMs"] / 1000)

def work(payload):  # The job itself: prints lines, and ends with its result.
    for n in range(payload["count"]):
        time.sleep(payload.get("seconds", 0))
        yield f"step {n + 1} of {payload['count']}\n"
    return {"counted": payload["count"]}

def run(job, attempt, jobToken):
    def tell(verb, body): return post(f"/attempts/{attempt['id']}/{verb}", body, jobToken)
    answer = tell("start", {})
    if answer["kind"] != "go":  # Cancelled before it began: that is its end, and somebody has to say so.
        return tell("complete", {"outcome": "cancelled"}) if answer["reason"] == "cancelled" else None
    held[attempt["id"]] = {"attemptId": attempt["id"], "epoch": attempt["epoch"], "state": "running"}
    lines, offset, end = work(job["spec"]["run"]["external"]["payload"]), 0, None
    try:
        while attempt["id"] not in stopped: offset = tell("logs", {"offset": offset, "text": next(lines)})["storedLength"]
    except StopIteration as ended: end = {"outcome": "succeeded", "result": ended.value}
    except Exception as error: end = {"outcome": "failed", "detail": repr(error)}
    tell("complete", end or {"outcome": stopped[attempt["id"]]})
    del held[attempt["id"]]

me.update(register())
threading.Thread(target=beat, daemon=True).start()
while True:
    claim = say("claim", {"waitSeconds": 30})
    if claim: run(**claim)
