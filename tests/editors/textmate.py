"""textmate.py GRAMMAR FILE WORDS - the scope of each word of WORDS in FILE, or none.

What an editor does with a grammar: at each place the rule that matches first, and of
those that begin there the one that is listed first; begin to end with its own patterns.
"""

import json
import re
import sys


def compiled(pattern):
    if "patterns" in pattern:
        for inner in pattern["patterns"]:
            compiled(inner)
    for key in ("match", "begin", "end"):
        if key in pattern:
            pattern[key] = re.compile(pattern[key])
    return pattern


def first(patterns, line, at):
    found = None
    for pattern in patterns:
        m = pattern.get("match", pattern.get("begin")).search(line, at)
        if m and (found is None or m.start() < found[1].start()):
            found = (pattern, m)
    return found


def scopes(grammar, lines):
    """For each line, the scope of each of its characters."""
    region = None
    for line in lines:
        scope, at = ["none"] * len(line), 0
        while at < len(line) or (region and not line):
            end = region["end"].search(line, at) if region else None
            found = first(region.get("patterns", []) if region else grammar, line, at)
            if end and (not found or end.start() <= found[1].start()):
                scope[at : end.end()] = [region["name"]] * (end.end() - at)
                at, region = end.end(), None
                continue
            if not found:
                if region:
                    scope[at:] = [region["name"]] * (len(line) - at)
                break
            pattern, m = found
            if region:
                scope[at : m.start()] = [region["name"]] * (m.start() - at)
            scope[m.start() : m.end()] = [pattern["name"]] * (m.end() - m.start())
            at = m.end()
            if "begin" in pattern:
                region = pattern
        yield scope


def main():
    grammar, source, words = sys.argv[1:]
    with open(grammar, encoding="utf-8") as file:
        data = json.load(file)
    assert data["scopeName"] == "source.nn" and data["fileTypes"] == ["nn"]
    with open(source, encoding="utf-8") as file:
        lines = file.read().split("\n")
    found = list(scopes([compiled(p) for p in data["patterns"]], lines))
    with open(words, encoding="utf-8") as file:
        for text in file:
            row, word, which = text.split()[:3]
            at = -1
            for _ in range(int(which)):
                at = lines[int(row) - 1].index(word, at + 1)
            print(found[int(row) - 1][at])


main()
