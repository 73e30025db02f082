#!/bin/sh
# Prints the compiler's tables: every `const Layer NAME = {` and so on below the
# folder $1, by name. A new file is in its table by being there.
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
echo '#include "nnc.h"'
table Layer layers "$1/layers"
table Op ops "$1/ops"
table Kernel kernels "$1/kernels"
table Loss losses "$1/losses"
table Optimizer optimizers "$1/optimizers"
table Subcommand subcommands "$1/commands"
