# The links of a page to files and headings, one a line; headings=1: what may follow a #.
/^```/ { fenced = !fenced }
fenced { next }
headings && /^#/ {
	sub(/^#+ /, "")
	text = tolower($0)
	gsub(/[^a-z0-9 _-]/, "", text)
	gsub(/ /, "-", text)
	print text
}
headings { next }
{
	gsub(/`[^`]*`/, "")
	while (match($0, /(\]\(|src=")[^)"]*/)) {
		link = substr($0, RSTART, RLENGTH)
		$0 = substr($0, RSTART + RLENGTH)
		sub(/^(\]\(|src=")/, "", link)
		if (link !~ /^[a-z]+:/)
			print link
	}
}
