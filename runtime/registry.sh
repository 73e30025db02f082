#!/bin/sh
# Prints the tables of initialisers and data formats: every `const NncInit NAME` and
# `const NncFormat NAME` found below the folder $1, by name.
set -eu
export LC_ALL=C
table() { # TYPE ARRAY FOLDER
	names=$(sed -n "s/^const $1 \([A-Za-z0-9_]*\) = {.*/\1/p" "$3"/*.c | sort)
	for n in $names; do echo "extern const $1 $n;"; done
	echo "const $1 *const $2[] = {"
	for n in $names; do echo "	&$n,"; done
	echo "	NULL,"
	echo "};"
}
echo '#include "nnc_rt.h"'
table NncInit nnc_inits "$1/init"
table NncFormat nnc_formats "$1/data"
