# names.awk - prints hostile names, one a line in printf's %b notation: what shells, C,
# printf, compilers, paths and terminals would take for something else, by itself, inside
# a word, and as an option's value.
BEGIN {
	n = split("$(touch canary)\n`touch canary`\n;touch canary;\n|touch canary\n&touch canary&\n" \
		">canary\n<canary\n$IFS$HOME\n${IFS}\n!!\n~\n~root\n*\n?\n[a-z]\n{a,b}\n#\n'\n''\n';touch canary;'\n" \
		"\042\n\042;touch canary;\042\n\1340134\n\1340134n\n\1340134\042\n\1340134x41\n*/\n/*\n//\n*\1340057 int x; /*\n??/\n??/\1340012\n??'\n" \
		"%n\n%n%n%s%d\n%1$n\n%s\n%%\n@f\n@/etc/passwd\n-\n--\n-o\n-fplugin=x\n-fplugin=./canary.so\n-Bx\n-wrapper touch,canary\n" \
		"-specs=x\n-x\n--help\n--out=canary\n-DX=1\n-I/\n-E\n-Wl,-rpath=x\n=\na=b\n:\n,\n^\n.\n..\n...\n../\n../../etc/passwd\n/../\n./.\n" \
		" \n  \n a\na \n\1340011\n\1340012\n\1340015\n\1340012touch canary\1340012\n\1340001\n\1340033[2J\n\1340033]0;x\1340007\n\1340177\n\1340302\1340233\n" \
		"\1340303\1340251\n\1340342\1340200\1340256\n\1340342\1340200\1340250\n\1340357\1340273\1340277\n\1340360\1340237\1340222\1340251\n\1340303\n\1340251\n\1340377\n\1340376\1340377\n" \
		"\1340355\1340240\1340200\n\1340300\1340257\nint\nmain\n__DATE__\n#include <x>\nreal\nnnc_main\nNNC_MODEL\n2layers\n0\n-1\n1e999\nNULL\nCON\nnul\n" \
		"$(id)\n;id\n\042$(touch canary)\042\n'$(touch canary)'\n<script>\n<x>\n&amp;\n&#x41;\n]]>\n\1340134012\n\1340134u000a\n%0a\n%2e%2e%2f\nfile:x", name, "\n")
	for (i = 1; i <= n; i++) {
		print name[i]
		print "a" name[i] "b"
	}
	long = "0123456789"
	long = long long long long long long long long long long
	print long
	print long long
	print long long "012345678901234567890123456789012345678901234567890"
}
