"""Becomes a daemon by the book and beats five times a second. Arguments: folder, name."""
import os
import signal
import sys
import time

folder, name = sys.argv[1:3]
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
os.chdir("/")
os.umask(0o022)
os.closerange(0, 256)
for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(one, signal.SIG_IGN)
while True:
    with open(os.path.join(folder, "beats", name), "a") as beats:
        beats.write("beat\n")
    time.sleep(0.2)
