# sources.awk - writes NAME.nn for each row of `sources`, and prints NAME|STATUS|MESSAGE.
# Run with LC_ALL=C -v dir=FOLDER.

function repeated(text, times,    all, i, copy)
{
	if (index(text, "@i")) {
		for (i = 1; i <= times; i++) {
			copy = text
			gsub(/@i/, i, copy)
			all = all copy
		}
		return all
	}
	if (times < 2)
		return times ? text : ""
	all = repeated(text, int(times / 2))
	return all all (times % 2 ? text : "")
}

function expanded(text,    out, from, colon, close_at, inside)
{
	while (from = index(text, "@{")) {
		out = out substr(text, 1, from - 1)
		text = substr(text, from + 2)
		colon = index(text, ":")
		inside = substr(text, colon + 1)
		close_at = index(substr(inside, 2), "}") + 1
		out = out repeated(unescaped(substr(inside, 1, close_at - 1)), substr(text, 1, colon - 1) + 0)
		text = substr(inside, close_at + 1)
		if (from = index(text, "@{")) {
			out = out unescaped(substr(text, 1, from - 1))
			text = substr(text, from)
		} else {
			out = out unescaped(text)
			text = ""
		}
	}
	return out text
}

function unescaped(text,    out, at, c)
{
	while (at = index(text, "\\")) {
		out = out substr(text, 1, at - 1)
		c = substr(text, at + 1, 1)
		if (c ~ /[0-3]/) {
			c = substr(text, at + 1, 3)
			out = out byte[substr(c, 1, 1) * 64 + substr(c, 2, 1) * 8 + substr(c, 3, 1)]
			text = substr(text, at + 4)
			continue
		}
		out = out (c == "n" ? "\n" : c == "t" ? "\t" : c == "r" ? "\r" : c)
		text = substr(text, at + 2)
	}
	return out text
}

BEGIN {
	for (i = 1; i < 256; i++)
		byte[i] = sprintf("%c", i)
	byte[0] = "\001NUL\001" # no awk is sure to have a NUL in a string: tr makes it
}

/^#/ || /^$/ {
	next
}

{
	text = $0
	for (i = 1; i <= 3; i++) {
		at = index(text, "|")
		part[i] = substr(text, 1, at - 1)
		gsub(/^ | $/, "", part[i])
		text = substr(text, at + 1)
	}
	sub(/^ /, "", text)
	first = index(text, "@{")
	text = first ? unescaped(substr(text, 1, first - 1)) expanded(substr(text, first)) : unescaped(text)
	file = dir "/" part[1] ".nn"
	n = split(text, piece, byte[0])
	printf "%s", piece[1] > file
	for (i = 2; i <= n; i++)
		printf "%c%s", 0, piece[i] > file
	close(file)
	print part[1] "|" part[2] "|" part[3]
}
