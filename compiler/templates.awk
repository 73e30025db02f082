# Prints the table of C templates: the text between `#ifdef TEMPLATE_name` and its
# `#endif` in the compiler's sources, so that a kernel's C stands in its own file as C.
function quote(s) {
	gsub(/\\/, "&&", s)
	gsub(/"/, "\\\"", s)
	return "\"" s "\\n\""
}
BEGIN {
	print "#include \"nnc.h\""
	print "const Template templates[] = {"
}
/^#ifdef TEMPLATE_/ {
	sub(/^#ifdef TEMPLATE_/, "")
	printf "\t{\"%s\",\n", $0
	depth = 1
	next
}
depth && /^#if/ { depth++ }
depth && /^#endif/ {
	if (--depth == 0) {
		print "\t},"
		next
	}
}
depth { print "\t " quote($0) }
END {
	print "\t{NULL, NULL},"
	print "};"
}
