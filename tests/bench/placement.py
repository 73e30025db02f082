"""
Where the CPUs of a turn are at the moment. Those of a virtual machine move about: now they are
two cores that share a cache, now two threads of one core, now cores of two chips. A figure of
two threads is then one of three, whatever is measured. So a turn counts when it has begun and
ended on cores of their own, near each other; cores.c tells, and turns are taken again until then.
"""
import os
import time

from ours import run

HERE = os.path.dirname(os.path.abspath(__file__))

SHARED = 1.4       # times as long beside the other's work: threads of one core
FAR = 2            # times as long a trip as between the nearest cores there were
LOOKS = 40         # at first, to know how near they can be
PAUSE_SECONDS = 0.02
WAIT_SECONDS = 1   # for near cores before a turn
TRIES = 5          # turns taken, of which the last counts anyhow


def probe_of(work):
    """probe(cpu, cpu): nanoseconds to the other and back, and how much longer one's work takes
    beside the other's."""
    path = os.path.join(work, "cores")
    run(os.environ.get("CC", "cc").split() + ["-O3", "-march=native", "-pthread",
        os.path.join(HERE, "cores.c"), "-o", path])
    return lambda *cpus: tuple(map(float, run([path] + list(map(str, cpus))).split()))


class Placement:
    def __init__(self, probe, pause=PAUSE_SECONDS):
        self.probe, self.pause = probe, pause
        self.nearest = {}  # pair of CPUs: nanoseconds when they were nearest, as two cores

    def near(self, cpus):
        """All are cores of their own, and as near the first as ever."""
        first, *others = sorted(cpus)
        return all(self.pair_is_near((first, other)) for other in others)

    def pair_is_near(self, pair):
        if pair not in self.nearest:
            self.nearest[pair] = float("inf")
            for _ in range(LOOKS):
                self.pair_is_near(pair)
                time.sleep(self.pause)
        trip, slowdown = self.probe(*pair)
        if slowdown > SHARED:
            return False
        self.nearest[pair] = min(self.nearest[pair], trip)
        return trip <= FAR * self.nearest[pair]

    def wait(self, cpus):
        """For near ones. False: there were none in time."""
        end = time.monotonic() + WAIT_SECONDS
        while not self.near(cpus):
            if time.monotonic() >= end:
                return False
            time.sleep(self.pause)
        return True

    def settled(self, cpus, turn):
        """What turn() returns, and whether the CPUs were near before and after it."""
        if not cpus or len(cpus) < 2:
            return turn(), True
        for _ in range(TRIES):
            found = self.wait(cpus)
            answer = turn()
            if found and self.near(cpus):
                return answer, True
        return answer, False
