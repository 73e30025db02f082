# units.awk - parts a generated C file into what belongs together, a line each: the name
# of the unit, a tab, its text with single spaces. The same unit twice is one.
#
#   head               the first comment
#   weight:ID          its line in Params
#   place:ID           its place in an arena
#   proto:F kernel:F   the declaration and the definition of a function, with its comment
#   net:F:LAYER        what F (forward, backward, infer, ...) calls for a layer
#   tensor:N layer:N   a row of a table
#   op:PHASE:LAYER     the rows of its calls
#   model:FIELD        a line of what the runtime knows
function add(unit, line)
{
	sub(/^[ \t]+/, "", line)
	if (line == "")
		return
	if (!(unit in text))
		order[++count] = unit
	text[unit] = text[unit] (text[unit] == "" ? "" : " ") line
}
function flush(unit) # what was gathered
{
	add(unit, gathered)
	gathered = ""
}
function gather(line)
{
	sub(/^[ \t]+/, "", line)
	gathered = gathered (gathered == "" ? "" : " ") line
}
function called(line) # the function that a line declares or defines
{
	sub(/\(.*/, "", line)
	sub(/.*[ *]/, "", line)
	return line
}
function part(line, n,    parts) # the n-th of what commas part, without quotes
{
	split(line, parts, /, */)
	gsub(/[{}" \t]/, "", parts[n])
	return parts[n]
}

/^\/\* ---- .* ---- \*\/$/ {
	section = $3 == "weights;" ? "weights" : $3 == "where" || $3 == "and" ? "arena" : \
		$3 $4 $5 == "thekernels,defined" ? "protos" : $4 == "network" ? "network" : \
		$4 == "kernels" ? "kernels" : $4 $5 == "theruntime" ? "tables" : "?"
	name = layer = gathered = ""
	next
}
section == "" { add("head", $0) }
section == "weights" && /^\treal / { sub(/\[.*/, "", $2); add("weight:" $2, $0) }
section == "arena" && / = / { add("place:" $1, $0) }
section == "protos" {
	if (/^static/)
		name = called($0)
	gather($0)
	if (/;$/ || /^#/)
		flush(/^#/ ? "proto:" : "proto:" name)
}
section == "network" {
	if (/^static/) {
		name = called($0)
		layer = ""
	}
	line = $0
	if (line ~ /^\t(\/\*| \*) [a-z0-9_]+: /) {
		sub(/^\t(\/\*| \*) /, "", line)
		sub(/:.*/, "", line)
		layer = line
		gathered = ""
	}
	if ($0 ~ /^\t\/\*$/)
		next
	if (/^}/)
		layer = ""
	add("net:" name ":" layer, $0)
}
section == "kernels" {
	if (/^static/)
		name = called($0)
	gather($0)
	if (/^}/ || /^#endif/)
		flush("kernel:" name)
}
section == "tables" && /^\t\{/ { row = 1 }
section == "tables" && row {
	gather($0)
	if (gsub(/\{/, "{", gathered) > gsub(/\}/, "}", gathered))
		next
	row = 0
	if (gathered ~ /^\{NNC_PHASE/)
		flush("op:" part(gathered, 1) ":" part(gathered, 2))
	else
		flush((gathered ~ /offsetof/ ? "tensor:" : "layer:") part(gathered, 1))
	next
}
section == "tables" { add("model:" ($1 ~ /^\./ ? $1 : ""), $0) }
section == "?" { print "units.awk: a section that it does not know: " $0 >"/dev/stderr"; exit 2 }
END {
	for (i = 1; i <= count; i++)
		print order[i] "\t" text[order[i]]
}
