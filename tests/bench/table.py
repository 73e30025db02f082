"""Medians, spreads and ratios; which requirement holds; tables for a terminal or in Markdown."""
import statistics

TORCH = "PyTorch"  # the peer that `need` is about
NOISY = 1.5        # greatest to least of the rounds: something else was running


def spread(values):
    return {"us": values, "median": statistics.median(values), "min": min(values),
            "max": max(values)}


def judge(row, need):
    """Adds each peer's ratio, whether the requirement holds, and whom ours is behind."""
    ours = row["ours"]["median"]
    row["noisy"] = [label for label, found in [("nnc", row["ours"])] + list(row["peers"].items())
                    if "median" in found and found["max"] > NOISY * found["min"]]
    ratios = {}
    for label, peer in row["peers"].items():
        if "median" in peer:
            peer["ratio"] = ratios[label] = peer["median"] / ours
    row["slower_than"] = [label for label, ratio in ratios.items() if ratio < 1]
    torch = [ratio for label, ratio in ratios.items() if label.startswith(TORCH)]
    row["need"], row["holds"] = need, None
    if need is not None and ratios:
        row["torch_ratio"] = min(torch) if torch else None
        row["holds"] = not row["slower_than"] and not (torch and min(torch) < need)


def micro(us):
    return "%.2f" % us if us < 10 else "%.1f" % us if us < 1000 else "{:,.0f}".format(us)


def times(ratio):
    return "%.2fx" % ratio if ratio < 10 else "%.1fx" % ratio


def verdict(row):
    """What must hold, and what was found; notes on our side."""
    notes = []
    need = row["need"]
    if need is not None and row.get("torch_ratio"):
        asked = "at least %gx" % need if need > 1 else "ahead of"
        notes.append("%s %s: %s" % (asked, TORCH, times(row["torch_ratio"])))
    if row["slower_than"]:
        notes.append("SLOWER than " + ", ".join(row["slower_than"]))
    if row["holds"] is not None:
        notes.append("holds" if row["holds"] else "DOES NOT HOLD")
    used = row["ours"].get("threads", row["threads"])
    if used != row["threads"]:
        notes.append("ours used %d thread%s" % (used, "s"[used == 1:]))
    if row["far_turns"]:
        notes.append("%d turn%s on CPUs far apart" % (row["far_turns"],
                                                      "s"[row["far_turns"] == 1:]))
    if row["noisy"]:
        notes.append("noisy: " + ", ".join(row["noisy"]))
    return "; ".join(notes)


# ---- laying out


def aligned(head, lines, left):
    """left: which columns are text."""
    cells = [head] + lines
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    text = []
    for line in cells:
        padded = [c.ljust(w) if i in left else c.rjust(w)
                  for i, (c, w) in enumerate(zip(line, widths))]
        text.append("  ".join(padded).rstrip())
    text.insert(1, "-" * max(len(line) for line in text))
    return "\n".join(text) + "\n"


def markdown(head, lines, left):
    rule = ["---" if i in left else "--:" for i in range(len(head))]
    return "".join("| " + " | ".join(c.replace("|", "\\|") for c in line) + " |\n"
                   for line in [head, rule] + lines)


def figures(rows):
    """One line for ours and for each peer of each row."""
    head = ["case", "threads", "by", "us", "min", "max", "ratio", "must hold / its best setting"]
    lines = []
    for row in rows:
        first = [row["case"], str(row["threads"])]
        if "error" in row:
            lines.append(first + ["nnc", "", "", "", "", "FAILED: " + row["error"].split("\n")[0]])
            continue
        ours = row["ours"]
        lines.append(first + ["nnc"] + [micro(ours[k]) for k in ("median", "min", "max")]
                     + ["", verdict(row)])
        for label, peer in row["peers"].items():
            note = peer.get("setting") or peer.get("not_compared") or \
                "FAILED: " + peer.get("error", "").split("\n")[0]
            if "median" in peer:
                cells = [micro(peer[k]) for k in ("median", "min", "max")] + [times(peer["ratio"])]
            else:
                cells = [""] * 4
            lines.append(["", "", label] + cells + [note])
    return head, lines, (0, 2, 7)


def wide(rows, labels):
    """One line a row, a column for each peer: for a README."""
    head = ["us (times ours)", "threads", "nnc"] + labels + ["must hold"]
    lines = []
    for row in rows:
        line = [row["case"], str(row["threads"])]
        if "error" in row:
            lines.append(line + ["failed"] + [""] * (len(labels) + 1))
            continue
        line.append(micro(row["ours"]["median"]))
        for label in labels:
            peer = row["peers"].get(label, {})
            line.append("%s (%s)" % (micro(peer["median"]), times(peer["ratio"]))
                        if "median" in peer else "failed" if "error" in peer else "")
        lines.append(line + [verdict(row)])
    return head, lines, (0, len(head) - 1)


def settings(rows):
    """Which setting was the fastest where; lines of text."""
    where = {}
    for row in rows:
        for label, peer in row.get("peers", {}).items():
            if "setting" in peer:
                cases = where.setdefault((label, peer["setting"]), {})
                cases.setdefault(row["case"], []).append(str(row["threads"]))
    for (label, setting), cases in sorted(where.items()):
        names = ", ".join("%s (%s)" % (c, "/".join(t)) for c, t in cases.items())
        yield "%s, %s: %s" % (label, setting, names)


def fastest(row):
    """The fastest peer's time over ours, or None."""
    ratios = [peer["ratio"] for peer in row.get("peers", {}).values() if "ratio" in peer]
    return min(ratios) if ratios else None


def short(ratio):
    return "-" if ratio is None else ("%.1f" if ratio < 9.95 else "%.0f") % ratio


def by_size(rows):
    """Of cases whose names end with a size: a line for all sizes, the fastest peer over ours."""
    found, sizes, counts = {}, {}, []
    for row in rows:
        name, size = row["case"].rsplit(" ", 1)
        ratio = fastest(row)
        if not size.isdigit() or ratio is None:
            continue
        found[name, size, row["threads"]] = ratio
        if size not in sizes.setdefault(name, []):
            sizes[name].append(size)
        if row["threads"] not in counts:
            counts.append(row["threads"])
    head = ["what varies", "sizes"] + ["%d thread%s" % (t, "s"[t == 1:]) for t in counts]
    lines = []
    for name, all_sizes in sizes.items():
        ratios = [[found.get((name, size, t)) for size in all_sizes] for t in counts]
        lines.append([name, " ".join(all_sizes)] + [" ".join(map(short, r)) for r in ratios])
    return head, lines, tuple(range(len(head)))


def roofline(rows):
    head = ["case", "threads", "us", "GFLOP/s", "peak", "share", "us at the peak"]
    lines = []
    for row in rows:
        ours = row.get("ours", {})
        if row["work"] == "training step" and ours.get("peak_gflops"):
            used = ours.get("threads", row["threads"])
            threads = "%d" % used if used == row["threads"] else "%d of %d" % (used, row["threads"])
            lines.append([row["case"], threads, micro(ours["median"]), "%.1f" % ours["gflops"],
                          "%.1f" % ours["peak_gflops"], "%.0f %%" % (100 * ours["peak_share"]),
                          micro(ours["floor_us"])])
    return head, lines, (0,)


def prototypes(rows):
    head = ["case", "threads", "nnc us", "prototype us", "nnc / prototype", "must hold"]
    lines = []
    for row in rows:
        p = row.get("prototype")
        if p and "median" in p:
            lines.append([row["case"], str(row["threads"]), micro(row["ours"]["median"]),
                          micro(p["median"]), times(p["ratio"]),
                          "at most %gx: %s" % (p["need"], "holds" if p["holds"]
                                               else "DOES NOT HOLD")])
        elif p:
            lines.append([row["case"], str(row["threads"]), "", "", "", "FAILED: " + p["error"]])
    return head, lines, (0, 5)


def compiling(found):
    head = ["compiling", "ms", "min", "max", "must hold"]
    lines = []
    for name, c in found.items():
        lines.append([name] + ["%.1f" % (c[k] * 1e3) for k in ("median", "min", "max")]
                     + ["at most %g ms: %s" % (c["need"] * 1e3, "holds" if c["holds"]
                                               else "DOES NOT HOLD")])
    return head, lines, (0, 4)


def slower(rows):
    for row in rows:
        for label in row.get("slower_than", ()):
            yield "slower than %s: %s, %d thread%s (%s)" % (
                label, row["case"], row["threads"], "s"[row["threads"] == 1:],
                times(row["peers"][label]["ratio"]))


def header(report):
    m = report["machine"]
    caches = ", ".join("%s %s" % c for c in m["caches"].items() if c[1])
    yield "%s, %d cores, %s; %s; load %.1f" % (m["cpu"], m["cores"], caches,
                                              " ".join(m["flags"]), m["load"])
    yield "%s; %s; %s" % (report["nnc"], m["compiler"], m["date"])
    for label, p in report["peers"].items():
        yield "%s %s; threads as it says itself: %s" % (
            p["name"], p["version"], ", ".join(str(t) for t in p["threads"]) or "?")
    for p in report["missing"]:
        yield "%s: not installed (pip install %s)" % (p["name"], p["pip"])
    yield report["method"]
