#!/usr/bin/env python3
"""
How long a training step and an inference take, beside PyTorch, JAX and Keras on the same data
shape, batch, optimizer and threads, measured in turns. README.md says what is compared how.
"""
import argparse
import json
import os
import re
import signal
import sys

sys.dont_write_bytecode = True  # before the files beside this one

import cases
import machine
import net
import ours
import peers
import placement
import prototypes
import table

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def parse():
    p = argparse.ArgumentParser(description=__doc__.strip())
    p.add_argument("--quick", action="store_true", help="2 rounds of 0.1 s: to see that it runs")
    p.add_argument("--rounds", type=int, help="turns of each (5)")
    p.add_argument("--seconds", type=float, help="for each figure of each turn (0.5)")
    p.add_argument("--threads", default="1,2", help="numbers of threads (%(default)s)")
    p.add_argument("--only", default="", metavar="PATTERN", help="cases whose name matches")
    p.add_argument("--list", action="store_true", help="the names of the cases, and end")
    p.add_argument("--scaling", action="store_true", help="other cases: one size varied at a time")
    p.add_argument("--json", metavar="FILE", help="machine, versions, every round, medians, ratios")
    p.add_argument("--markdown", action="store_true", help="tables as Markdown")
    p.add_argument("--peers", metavar="LIST", help="of torch,jax,keras, or none (all there are)")
    p.add_argument("--python", metavar="LIST", default=sys.executable,
                   help="interpreters whose libraries are the peers (the one that runs this)")
    p.add_argument("--no-compile", action="store_true", help="without torch.compile, which is slow")
    p.add_argument("--no-pin", action="store_true", help="any CPU, not as many as threads")
    p.add_argument("--prototypes", metavar="DIR", help="the C prototypes, measured as well")
    p.add_argument("--nnc", default=os.environ.get("NNC") or os.path.join(ROOT, "build/nnc"))
    p.add_argument("--work", default=os.path.join(ROOT, "build/bench"), help="folder to work in")
    args = p.parse_args()
    args.rounds = args.rounds or (2 if args.quick else 5)
    args.seconds = args.seconds or (0.1 if args.quick else 0.5)
    args.nnc, args.work = os.path.abspath(args.nnc), os.path.abspath(args.work)
    try:
        args.threads = [int(t) for t in args.threads.split(",")]
        re.compile(args.only)
    except (ValueError, re.error) as e:
        p.error(str(e))
    if min(args.threads + [args.rounds]) < 1 or args.seconds < 0:
        p.error("threads, rounds and seconds are above 0")
    args.peers = args.peers and [n for n in args.peers.split(",") if n not in ("", "none")]
    return args


def say(text):
    """Progress: one line that changes on a terminal, else only where a line ends."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()
    elif text.endswith("\n"):
        sys.stderr.write(text)


class Bench:
    def __init__(self, args):
        self.args, self.failed = args, False
        self.ours = ours.Ours(args.nnc, args.work)
        self.placement = placement.Placement(placement.probe_of(args.work))
        self.peers, missing = peers.find(args.peers, args.python.split(","), args.threads[0],
                                         args.work, self.place)
        self.prototypes = args.prototypes and prototypes.Prototypes(
            args.prototypes, args.work, args.python.split(",")[0])
        commit = machine.output("git", "-C", ROOT, "describe", "--always", "--dirty")
        pinned = "any CPU" if args.no_pin else "each confined to as many CPUs as threads"
        self.report = {
            "machine": machine.describe(),
            "nnc": " ".join(("%s %s" % (self.ours.version(), commit)).split()),
            "method": "us: median of %d rounds in turns, %g s each; %s%s" % (
                args.rounds, args.seconds, pinned, "; no torch.compile" * args.no_compile),
            "rounds": args.rounds, "seconds": args.seconds, "pinned": not args.no_pin,
            "peers": {label: dict(p.about, threads=[]) for label, p in self.peers.items()},
            "missing": missing, "compiling": {}, "rows": [],
        }

    def place(self, threads):
        cpus = None if self.args.no_pin else machine.cpus_of(threads)
        return machine.environment(threads, self.args.work), cpus

    def fail(self, whose, why):
        """What the row says of it; the exit status will be 1."""
        self.failed = True
        say("%s: %s\n" % (whose, why))
        return {"error": str(why)}

    # ---- one row

    def describe(self, case, threads):
        return {"case": case.name, "work": case.work, "threads": threads, "rows": case.rows,
                "far_turns": 0}

    def prepare(self, case, program, text, threads):
        """Which peers take part: {label: {"setting"} or why not}"""
        try:
            description = net.read_net(text)
        except net.Unsupported as e:
            return {label: {"not_compared": "not taught: %s" % e} for label in self.peers}
        description.update(infer=case.work == cases.INFER, rows=case.rows,
                           compile=not self.args.no_compile)
        count = self.ours.parameters(program)
        found = {}
        for label, peer in self.peers.items():
            say("%s, %d threads: preparing %s" % (case.name, threads, label))
            try:
                found[label] = peer.prepare(description, self.args.seconds, threads)
                if found[label]["parameters"] != count:
                    raise peers.PeerFailed("a model of %d parameters, ours has %d"
                                           % (found[label]["parameters"], count))
                known = self.report["peers"][label]["threads"]
                if peer.about["threads"] not in known:
                    known.append(peer.about["threads"])
            except peers.PeerFailed as e:
                found[label] = self.fail("%s, %s" % (case.name, label), e)
        return found

    def measure(self, case, threads):
        """The row of one case at one number of threads."""
        row = self.describe(case, threads)
        program, text = self.ours.prepare(case)
        row["peers"] = self.prepare(case, program, text, threads)
        if self.prototypes and case.prototype and threads <= 2:
            row["prototype"] = {}
        env, cpus = self.place(threads)
        seconds, mine, theirs = self.args.seconds, [], {}
        for turn in range(self.args.rounds):
            say("%s, %d threads: round %d" % (case.name, threads, turn + 1))
            mine.append(self.turn(row, cpus, lambda: self.ours.bench(
                program, case, seconds, threads, env, cpus)))
            for label, found in row["peers"].items():
                if "setting" in found:
                    try:
                        us = self.turn(row, cpus, lambda peer=self.peers[label]: peer.measure(
                            seconds, threads))
                        theirs.setdefault(label, []).append(us)
                    except peers.PeerFailed as e:
                        row["peers"][label] = self.fail("%s, %s" % (case.name, label), e)
            self.prototype(row, case, threads, seconds, env, cpus)
        return self.summarize(row, case, mine, theirs)

    def turn(self, row, cpus, measure):
        """Taken again while the CPUs are not two cores near each other; the row counts those
        that had to be as they were."""
        answer, near = self.placement.settled(cpus, measure)
        row["far_turns"] += not near
        return answer

    def prototype(self, row, case, threads, seconds, env, cpus):
        found = row.get("prototype")
        if found is None or "error" in found:
            return
        try:
            us = self.turn(row, cpus, lambda: self.prototypes.measure(
                case.prototype, threads, seconds, env, cpus))
            found.setdefault("us", []).append(us)
        except ours.Failed as e:
            row["prototype"] = self.fail(case.name + ", prototype", e)

    def summarize(self, row, case, mine, theirs):
        row["ours"] = table.spread([us for us, _ in mine])
        nearest = min(mine, key=lambda m: abs(m[0] - row["ours"]["median"]))
        row["ours"].update(nearest[1])
        if case.work == cases.STEP and nearest[1].get("peak_share"):
            row["ours"]["floor_us"] = nearest[0] * nearest[1]["peak_share"]
        for label, values in theirs.items():
            if "setting" in row["peers"][label]:
                row["peers"][label].update(table.spread(values))
        table.judge(row, (case.need or {}).get(row["threads"]))
        p = row.get("prototype")
        if p and "us" in p:
            p.update(table.spread(p["us"]), need=cases.PROTOTYPE_RATIO)
            p["ratio"] = row["ours"]["median"] / p["median"]
            p["holds"] = p["ratio"] <= p["need"]
        return row

    # ---- all of them

    def compiling(self):
        say("compiling models/cnn.nn")
        model = os.path.join(ROOT, "models/cnn.nn")
        _, cpus = self.place(2)  # cc runs twice at once
        found = [self.placement.settled(cpus, lambda: ours.compile_times(
            self.args.nnc, model, self.args.work))[0] for _ in range(self.args.rounds)]
        front, whole = zip(*found)
        for name, need, values in (("cnn.nn to C", cases.FRONT_END_SECONDS, front),
                                   ("cnn.nn to a program", cases.COMPILE_SECONDS, whole)):
            c = table.spread(values)
            c["seconds"] = c.pop("us")
            c.update(need=need, holds=c["median"] <= need)
            self.report["compiling"][name] = c

    def run(self, chosen):
        if not self.args.scaling and re.search(self.args.only, "compiling cnn"):
            self.compiling()
        for case in chosen:
            for threads in self.args.threads:
                try:
                    row = self.measure(case, threads)
                except (ours.Failed, net.Unsupported, KeyError, ValueError) as e:
                    row = self.describe(case, threads)
                    row.update(self.fail(case.name, e))
                self.report["rows"].append(row)
                self.write()
                say("")

    def write(self):
        if not self.args.json:
            return
        with open(self.args.json + ".part", "w") as f:
            json.dump(self.report, f, indent=1)
            f.write("\n")
        os.replace(self.args.json + ".part", self.args.json)

    def stop(self):
        for peer in self.peers.values():
            peer.stop()


def show(report, as_markdown):
    rows, labels = report["rows"], list(report["peers"])
    lay = table.markdown if as_markdown else table.aligned
    print("\n".join(("- " if as_markdown else "") + line for line in table.header(report)) + "\n")
    tables = [table.compiling(report["compiling"])]
    for work in cases.STEP, cases.INFER:
        of_work = [row for row in rows if row["work"] == work]
        tables.append(table.wide(of_work, labels) if as_markdown else table.figures(of_work))
    tables += [table.prototypes(rows), table.roofline(rows), table.by_size(rows)]
    for title, (head, lines, left) in zip(
            ("", "Training step", "Inference", "Prototypes", "FMA peak",
             "Times the speed of the fastest peer"), tables):
        if lines:
            print(("**%s**\n\n" % title if as_markdown else title + "\n") if title else "", end="")
            print(lay(head, lines, left))
    if as_markdown:
        print("".join("- %s\n" % line for line in table.settings(rows)))
    behind = list(table.slower(rows))
    if behind or any("ratio" in p for row in rows for p in row.get("peers", {}).values()):
        print("\n".join(behind) or "Slower than no peer.")


def main():
    args = parse()
    chosen = [c for c in (cases.scaling if args.scaling else cases.standard)(ROOT)
              if re.search(args.only, c.name)]
    if args.list:
        print("\n".join(c.name for c in chosen))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    status, bench = 0, None
    try:
        bench = Bench(args)
        bench.run(chosen)
    except (ours.Failed, peers.PeerFailed, OSError) as e:
        print("bench.py: %s" % e, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        status = 130
    finally:
        if bench:
            bench.stop()
    if bench:
        show(bench.report, args.markdown)
        bench.write()
        status = status or int(bench.failed)
    return status


if __name__ == "__main__":
    sys.exit(main())
