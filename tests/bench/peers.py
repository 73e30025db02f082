"""The peers as processes of their own: found, asked, and stopped while others are measured."""
import glob
import json
import os
import select
import signal
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
START_SECONDS, PREPARE_SECONDS, MEASURE_SECONDS = 120, 1800, 300

class PeerFailed(Exception):
    pass


class Server:
    """One peer at one number of threads."""

    def __init__(self, python, path, threads, env, cpus, log):
        self.process = subprocess.Popen(
            [python, path, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=log, env=env, start_new_session=True,
            preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None)
        self.buffer = b""
        self.about = None

    def start(self):
        """What it is, {"missing": why} if its library cannot be imported."""
        self.about = self.reply(START_SECONDS)
        self.signal(signal.SIGSTOP)
        return self.about

    def signal(self, number):
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def ask(self, request, seconds):
        """The answer. It runs, threads that wait by spinning included, until it has given it."""
        self.signal(signal.SIGCONT)
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            pass  # reply() says what became of it
        answer = self.reply(seconds)
        self.signal(signal.SIGSTOP)
        if "error" in answer:
            raise PeerFailed(answer["error"])
        return answer

    def reply(self, seconds):
        end, fd = time.monotonic() + seconds, self.process.stdout.fileno()
        while b"\n" not in self.buffer:
            ready = select.select([fd], [], [], max(0, end - time.monotonic()))[0]
            if not ready:
                self.stop()
                raise PeerFailed("no answer within %d s" % seconds)
            part = os.read(fd, 1 << 16)
            if not part:
                raise PeerFailed("ended with status %d" % self.process.wait())
            self.buffer += part
        line, _, self.buffer = self.buffer.partition(b"\n")
        return json.loads(line)

    def stop(self):
        self.signal(signal.SIGKILL)
        self.process.wait()


class Peer:
    """A library of one interpreter, at every number of threads. place(threads): (environment,
    CPUs) there."""

    def __init__(self, python, path, work, place):
        self.python, self.path, self.place = python, path, place
        self.log = os.path.join(work, os.path.basename(path)[:-3] + ".log")
        self.servers, self.about = {}, None

    def server(self, threads):
        """Started when first needed, and again after it has ended."""
        server = self.servers.get(threads)
        if server is None or server.process.poll() is not None:
            env, cpus = self.place(threads)
            with open(self.log, "ab") as log:
                server = Server(self.python, self.path, threads, env, cpus, log)
            self.servers[threads] = server
            self.about = server.start()
        return server

    def prepare(self, net, seconds, threads):
        request = {"prepare": net, "seconds": seconds}
        return self.server(threads).ask(request, PREPARE_SECONDS)

    def measure(self, seconds, threads):
        return self.servers[threads].ask({"measure": seconds}, MEASURE_SECONDS + 10 * seconds)["us"]

    def stop(self):
        for server in self.servers.values():
            server.stop()

    def label(self):
        return "%s %s" % (self.about["name"], self.about["version"].split(",")[0])


def paths(wanted):
    """Of peer modules: named as in peer_NAME.py, or by their path; None: all of them."""
    known = {os.path.basename(p)[5:-3]: p for p in glob.glob(os.path.join(HERE, "peer_*.py"))}
    for name in sorted(known, reverse=True) if wanted is None else wanted:
        if not os.path.isfile(known.get(name, name)):
            raise PeerFailed("no peer '%s'; there are %s" % (name, ", ".join(sorted(known))))
        yield known.get(name, name)


def find(wanted, pythons, threads, work, place):
    """(peers by label, [what is missing])"""
    found, missing = {}, {}
    for path in paths(wanted):
        for python in pythons:
            peer = Peer(python, path, work, place)
            about = peer.server(threads).about
            if "missing" in about:
                missing[about["name"]] = about
            elif peer.label() not in found:
                found[peer.label()] = peer
                continue
            peer.stop()
    there = {peer.about["name"] for peer in found.values()}
    return found, [m for name, m in missing.items() if name not in there]
