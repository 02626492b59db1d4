"""Estimates pi by throwing darts, telling a metric, progress and a result through plain files. Runs by hand too."""
import json
import os
import random

ROUNDS = 20
DARTS = 50_000


def tell(variable, text, mode="a"):
    """Appends a line to the file Muster names, or does nothing when run by hand."""
    path = os.environ.get(variable)
    if path:
        with open(path, mode) as file:
            file.write(text + "\n")


inside = 0
generator = random.Random(int(os.environ.get("SEED", "1")))
for round_number in range(1, ROUNDS + 1):
    inside += sum(generator.random() ** 2 + generator.random() ** 2 < 1 for _ in range(DARTS))
    estimate = 4 * inside / (round_number * DARTS)
    print(f"round {round_number}/{ROUNDS}: pi is about {estimate:.5f}", flush=True)
    tell("MUSTER_METRICS", json.dumps({"step": round_number, "estimate": estimate}))
    tell("MUSTER_PROGRESS", f"{round_number / ROUNDS} round {round_number}")
tell("MUSTER_RESULT", json.dumps({"pi": estimate}), mode="w")
