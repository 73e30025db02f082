#!/bin/sh
# Prints the list of CUnit suites: every `void suite_NAME(void)` of the folder $1.
set -eu
export LC_ALL=C
names=$(sed -n 's/^void \(suite_[A-Za-z0-9_]*\)(void).*/\1/p' "$1"/*.c | sort -u)
for n in $names; do echo "void $n(void);"; done
echo "void add_suites(void);"
echo "void add_suites(void)"
echo "{"
for n in $names; do echo "	$n();"; done
echo "}"
