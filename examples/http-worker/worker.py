"""A worker in some forty lines of the standard library: MUSTER_URL=http://127.0.0.1:6878 MUSTER_KEY=wak_... python3 worker.py"""
import json, os, socket, threading, time, urllib.error, urllib.request

me, held, stopped = {}, {}, {}

def post(path, body, key=os.environ["MUSTER_KEY"]):
    head = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{os.environ['MUSTER_URL']}/api/v1{path}", json.dumps(body).encode(), head)
    while True:  # What was not answered is said again: every call means the same the second time.
        try: return json.loads(urllib.request.urlopen(request, timeout=60).read() or b"null")
        except OSError as error:
            if getattr(error, "code", 500) < 500 and error.code != 429: raise
        time.sleep(1)

def say(verb, **more):
    try: return post(f"/workers/{me['workerId']}/{verb}", {"session": me["session"], "executions": list(held.values()), **more})
    except urllib.error.HTTPError as error:
        if error.code != 404: raise  # Another program is this worker now.
        register()  # Nobody knows this worker any more.
        return say(verb, **more)

def register():
    me.update(post("/workers/register", {"name": socket.gethostname(), "runKinds": ["external:http"], "executions": list(held.values())}))

def beat(over):  # Renews the lease of what runs. Without a job, asking for one says that this worker lives.
    while not over.wait(me["beatIntervalMs"] / 1000):
        for command in say("heartbeat")["commands"]:  # A planned stop is the worker's: the job goes on elsewhere.
            stopped[command["attemptId"]] = "stopped" if command.get("isPlanned") else "cancelled"

def work(payload):  # The job itself: prints lines, and ends with its result.
    for n in range(payload["count"]):
        time.sleep(payload.get("seconds", 0))
        yield f"step {n + 1} of {payload['count']}\n"
    return {"counted": payload["count"]}

def run(job, attempt, jobToken):
    def tell(verb, **body): return post(f"/attempts/{attempt['id']}/{verb}", body, jobToken)
    answer = tell("start")
    if answer["kind"] != "go":  # Cancelled before it began: that is its end, and somebody has to say so.
        return tell("complete", outcome="cancelled") if answer["reason"] == "cancelled" else None
    held[attempt["id"]] = {"attemptId": attempt["id"], "epoch": attempt["epoch"], "state": "running"}
    lines, offset, end, over = work(job["spec"]["run"]["external"]["payload"]), 0, None, threading.Event()
    (beating := threading.Thread(target=beat, args=[over], daemon=True)).start()
    try:
        while attempt["id"] not in stopped: offset = tell("logs", offset=offset, text=next(lines))["storedLength"]
    except StopIteration as ended: end = {"outcome": "succeeded", "result": ended.value}
    except Exception as error: end = {"outcome": "failed", "detail": repr(error)}
    over.set(); beating.join()
    tell("complete", **(end or {"outcome": stopped[attempt["id"]]}))
    del held[attempt["id"]]

register()
while True:
    if claim := say("claim", waitSeconds=30): run(**claim)
