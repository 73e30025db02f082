# man.awk - a manual page of the markdown that our templates and READMEs are written in:
# a title line `% NAME(SECTION) SOURCE VERSION [DATE]`, headings, paragraphs, `- ` lists,
# indented and fenced code, tables, definitions (`:   text` below a term), `code`,
# **bold**, *emphasis*, [links](x). Blocks are gathered, and printed where they end.

# Text as troff takes it; in code, every character stands for itself.
function escape(text, code)
{
	gsub(/\\/, "\\e", text)
	if (code) {
		gsub(/-/, "\\-", text)
		gsub(/'/, "\\(aq", text)
		gsub(/\^/, "\\(ha", text)
		gsub(/~/, "\\(ti", text)
		gsub(/`/, "\\(ga", text)
	}
	return text
}

# Pieces that match `pattern`, in this font, without the marks around them.
function mark(text, pattern, marks, font,    before, piece)
{
	while (match(text, pattern)) {
		before = before substr(text, 1, RSTART - 1)
		piece = substr(text, RSTART + marks, RLENGTH - 2 * marks)
		before = before "\\f" font piece "\\fR"
		text = substr(text, RSTART + RLENGTH)
	}
	return before text
}

function unlink_words(text,    before, words)
{
	while (match(text, /\[[^]]*\]\([^)]*\)/)) {
		words = substr(text, RSTART + 1, RLENGTH - 1)
		sub(/\].*/, "", words)
		before = before substr(text, 1, RSTART - 1) words
		text = substr(text, RSTART + RLENGTH)
	}
	return before text
}

function inline(text,    result, n, i, piece)
{
	text = unlink_words(text)
	gsub(/\*\*/, "", text) # what is bold begins with code, or is as good without
	n = split(text, piece, "`")
	for (i = 1; i <= n; i++)
		result = result (i % 2 ? mark(escape(piece[i], 0), "\\*[^ *][^*]*\\*", 1, "I") \
				       : "\\fB" escape(piece[i], 1) "\\fR")
	return result
}

# A line of text is never a request.
function put(text)
{
	if (text ~ /^[.']/)
		text = "\\&" text
	print text
}

# The words of a paragraph, in lines of a width that sources have.
function put_filled(text,    n, i, word, line)
{
	n = split(text, word, /[ \n]+/)
	for (i = 1; i <= n; i++) {
		if (line != "" && length(line) + 1 + length(word[i]) > 78) {
			put(line)
			line = ""
		}
		line = line (line == "" ? "" : " ") word[i]
	}
	put(line)
}

function quoted(text)
{
	gsub(/"/, "\\(dq", text)
	return "\"" text "\""
}

# Ends the block that is being gathered, and the code.
function flush()
{
	if (code)
		print ".fi\n.RE"
	code = 0
	if (held != "")
		row()
	if (block == "")
		return
	if (macro != "" && !(macro == ".PP" && fresh))
		print macro
	put_filled(inline(block))
	block = macro = ""
	fresh = 0
}

function start(text, with)
{
	flush()
	block = text
	macro = with
}

function heading(request, text)
{
	flush()
	print request " " quoted(escape(text, 1))
	fresh = 1
}

function definition(term, text)
{
	start(term, ".TP")
	flush()
	start(text, "")
}

function code_line(text)
{
	if (!code) {
		flush()
		print (fresh ? "" : ".PP\n") ".RS 4\n.nf"
		code = 1
		fresh = 0
	}
	put(escape(text, 1))
}

# The row of a table that was read before this line, unless that was its header.
function row(    cell, n)
{
	n = split(held, cell, / *\| */)
	held = ""
	definition(cell[2], cell[3] (n > 4 && cell[4] != "" ? "; " cell[4] : ""))
}

NR == 1 {
	split($2, title, /[()]/)
	print ".\\\" Generated: share/README.md in the source says how."
	print ".TH " quoted(toupper(escape(title[1], 1))) " " title[2] " " quoted($5) " " \
		quoted($3 " " $4) " " quoted($3)
	next
}
/^```/ { fenced = !fenced; if (!fenced) flush(); next }
fenced { code_line($0); next }
/^$/ { blank = code; if (!code) flush(); next }
/^    / && (block == "") { if (blank) put(""); blank = 0; code_line(substr($0, 5)); next }
{ blank = 0 }
/^# / { next }
/^## / { heading(".SH", toupper(substr($0, 4))); next }
/^### / { heading(".SS", substr($0, 5)); next }
/^:   / { term = block; block = ""; definition(term, substr($0, 5)); next }
/^- / { start(substr($0, 3), ".IP \\(bu 2"); next }
/^\|[-|: ]*\|$/ { held = ""; next }
/^\|/ { flush(); held = $0; next }
{
	if (block == "")
		start($0, ".PP")
	else {
		sub(/^ +/, "")
		block = block "\n" $0
	}
}
END { flush() }
