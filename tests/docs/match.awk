# Whether the input is what the file `wanted` has: there a line `...` stands for any
# lines, and `...` in a line for any text. With numbers=numbers all numbers are the same
# one, but those in names, and blanks are one. The first line that is missing is printed.
function plain(line,    n, i, word, text)
{
	sub(/[ \t]+$/, "", line)
	if (numbers != "numbers")
		return line
	gsub(/\[ *[0-9.]+ *\]/, "0", line)
	n = split(line, word, /[ \t]+/)
	for (i = 1; i <= n; i++) {
		if (word[i] == "." || word[i] == "-")
			word[i] = "0"
		if (word[i] ~ /^[^a-zA-Z.]*[0-9]/)
			gsub(/[0-9][0-9.,]*(e[-+]?[0-9]+)?/, "0", word[i])
		text = text " " word[i]
	}
	return text
}

function matches(line, pattern,    n, i, piece, at)
{
	n = split(pattern, piece, /\.\.\./)
	if (n < 2)
		return line == pattern
	if (substr(line, 1, length(piece[1])) != piece[1])
		return 0
	line = substr(line, length(piece[1]) + 1)
	for (i = 2; i <= n; i++) {
		if (i == n && piece[i] != "")
			return length(line) >= length(piece[i]) && \
				substr(line, length(line) - length(piece[i]) + 1) == piece[i]
		at = index(line, piece[i])
		if (!at && piece[i] != "")
			return 0
		line = substr(line, at + length(piece[i]))
	}
	return 1
}

{ got[++lines] = plain($0) }
END {
	at = 1
	while ((getline line < wanted) > 0) {
		if (line ~ /^[ \t]*\.\.\.$/) {
			gap = 1
			continue
		}
		line = plain(line)
		while (gap && at <= lines && !matches(got[at], line))
			at++
		if (at > lines || !matches(got[at], line)) {
			print "wanted: " line
			print "found:  " (at <= lines ? got[at] : "nothing more")
			exit 1
		}
		at++
		gap = 0
	}
	if (!gap && at <= lines) {
		print "too much: " got[at]
		exit 1
	}
}
