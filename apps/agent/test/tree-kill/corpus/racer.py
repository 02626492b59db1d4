"""Replaces itself by a new process about 200 times a second. Arguments: folder, name, and `sessions` for a session each time."""
import os
import signal
import sys
import time

folder, name = sys.argv[1:3]
in_sessions = "sessions" in sys.argv[3:]
for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(one, signal.SIG_IGN)
while not os.path.exists(os.path.join(folder, "enough")):
    if os.fork():
        os._exit(0)
    if in_sessions:
        os.setsid()
    with open(os.path.join(folder, "beats", name), "a") as beats:
        beats.write("beat\n")
    time.sleep(0.004)
