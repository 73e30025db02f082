#!/bin/sh
# registry.sh FOLDER data|commands - prints the tables of what is found below the folder:
# every `const NncInit NAME` and `const NncFormat NAME`, or every `const NncCommand NAME`,
# by name. Two files, so that who links no command line has no commands.
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
case $2 in
data)
	echo '#include "nnc_rt.h"'
	table NncInit nnc_inits "$1/init"
	table NncFormat nnc_formats "$1/data"
	;;
commands)
	echo '#include "cli.h"'
	table NncCommand nnc_commands "$1/commands"
	;;
esac
