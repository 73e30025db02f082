"""
What the peers share. A peer is a program that stays: it reads requests from stdin and answers
on stdout, a line of JSON each, so that alternating between peers costs nothing.

    {"prepare": NET, "seconds": S}  -> {"setting", "settings", "parameters"}
    {"measure": S}                  -> {"us", "readings"}

A peer module has about(threads), axes(net) and build(net, setting, data), and calls serve().
"""
import ctypes
import gc
import json
import os
import signal
import sys
import time
import traceback
from collections import namedtuple

READINGS, TRIAL_READINGS = 5, 2  # at least: of a figure; of each setting, twice
WARM_UP = 3
READING = 100e-6  # seconds: what is shorter is called several times for a reading
LONG = 0.25       # seconds: what is longer is not repeated for a reading
HOPELESS = 3      # times slower than the best so far: not measured further

# call() does `steps` steps or inferences; wait() ends when they are done. A reading has
# `calls` of them, where it pays to have more than one under way. within: a context.
Work = namedtuple("Work", "call wait steps calls parameters within")


class Data:
    """Made-up pictures and labels, and batches of a shuffled order, as in `PROGRAM bench`.

    The outer quarters of each line are 0, as half of Fashion-MNIST's pixels are.
    """

    def __init__(self, net):
        import numpy as np
        random = np.random.RandomState(1)
        count, rows = net["samples"], net["rows"]
        x = random.randint(0, 256, [count] + net["picture"], np.uint8)
        margin = net["picture"][1] // 4
        x[:, :, :margin] = 0
        x[:, :, net["picture"][1] - margin:] = 0
        self.x = x.reshape([count] + net["input"])
        self.y = random.randint(0, net["classes"], count, np.int64)
        order = random.permutation(count)
        self.batches = [order[i:i + rows] for i in range(0, count - rows + 1, rows)]


def name_of(setting):
    return ", ".join(v for v in setting if v)


def reading(work, calls):
    begin = time.perf_counter()
    for _ in range(calls):
        work.call()
    work.wait()
    return (time.perf_counter() - begin) / (calls * work.steps)


def measure(work, seconds, least):
    """The median of at least some readings, in microseconds; how many there were."""
    times = []
    gc.collect()
    gc.disable()
    with work.within():
        once = reading(work, 1) * work.steps
        for _ in range(WARM_UP if once < LONG else 0):
            once = min(once, reading(work, 1) * work.steps)
        calls = max(work.calls if once < LONG / work.calls else 1, int(READING / once) + 1)
        begin = time.perf_counter()
        while len(times) < least or time.perf_counter() - begin < seconds:
            times.append(reading(work, calls))
    gc.enable()
    times.sort()
    middle = len(times) // 2
    median = times[middle] if len(times) % 2 else (times[middle - 1] + times[middle]) / 2
    return median * 1e6, len(times)


class Choice:
    """The fastest setting: along each axis in turn, the others as they were best so far."""

    def __init__(self, peer, net, seconds):
        self.peer, self.net, self.seconds = peer, net, seconds
        self.data = Data(net)
        self.tried = {}   # name -> us, or why not
        self.work = self.setting = None
        axes = peer.axes(net)
        best = [axis[0] for axis in axes]
        for i, axis in enumerate(axes):
            if i and len(axis) == 1:
                continue
            self.compare([tuple(best[:i] + [value] + best[i + 1:]) for value in axis])
            if self.setting:
                best = list(self.setting)
        if not self.work:
            raise RuntimeError("; ".join("%s: %s" % t for t in self.tried.items()))

    def compare(self, settings):
        works = {self.setting: self.work} if self.work else {}
        for setting in settings:
            if setting not in works and name_of(setting) not in self.tried:
                work = self.build(setting)
                if work:
                    works[setting] = work
        times = dict.fromkeys(works, float("inf"))
        for _ in range(2):  # alternately, so that a slow moment hits no one alone
            for setting, work in works.items():
                us = measure(work, self.seconds / 4, TRIAL_READINGS)[0]
                times[setting] = min(times[setting], us)
        self.tried.update((name_of(s), us) for s, us in times.items())
        if times:
            self.setting = min(times, key=times.get)
            self.work = works[self.setting]

    def build(self, setting):
        """None where the peer cannot, and where the second call shows that it is hopeless."""
        best = self.tried.get(name_of(self.setting)) if self.setting else None
        try:
            work = self.peer.build(self.net, setting, self.data)
            if best and work.steps > 1 and best * 1e-6 * work.steps > LONG:
                self.tried[name_of(setting)] = "several steps take too long for a reading"
                return None
            with work.within():
                once = min(reading(work, 1) for _ in range(2)) * 1e6
            if best and once > HOPELESS * best:
                self.tried[name_of(setting)] = once
                return None
            return work
        except Exception as e:
            traceback.print_exc()
            self.tried[name_of(setting)] = (str(e).strip().splitlines() or [repr(e)])[0][:200]
            return None


def answer(peer, state, request):
    if "prepare" in request:
        state.clear()
        gc.collect()
        choice = Choice(peer, request["prepare"], request["seconds"])
        state.append(choice)
        return {"setting": name_of(choice.setting), "settings": choice.tried,
                "parameters": choice.work.parameters}
    us, readings = measure(state[0].work, request["measure"], READINGS)
    return {"us": us, "readings": readings}


def serve(peer):
    """Runs until stdin ends, or whoever started it is gone."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it may be stopped by then
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints
    state = []

    def reply(what):
        out.write(json.dumps(what) + "\n")
        out.flush()

    try:
        reply(peer.about(int(sys.argv[1])))
    except ImportError as e:
        reply({"missing": str(e), "name": peer.NAME, "pip": peer.PIP})
        return
    for line in sys.stdin:
        try:
            reply(answer(peer, state, json.loads(line)))
        except Exception as e:
            traceback.print_exc()
            reply({"error": "%s: %s" % (type(e).__name__, e)})
