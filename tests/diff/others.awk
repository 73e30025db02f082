# others.awk - what differs between the units of two generated files (see units.awk) and
# does not belong to the change that was made in the model: nothing, if all is well.
#
# -v layer=ID -v old=relu -v new=tanh: the activation of the layer was changed. Its own
#   are the lines that name it, and the functions that name the activation. Another
#   layer's gradient may end with the activation's: a call of old then is one of new.
#   -v after=ID: the new one's derivative is of its input, which is kept in memory then;
#   the layer behind computes the adjoint of its output.
# -v layer=ID -v before=ID -v after=ID: a dropout was put between two layers. Its own
#   are the lines that name it. The layer behind reads its output; in backward what was
#   joined across the place comes apart. Inference must not differ at all.
#   -v joined=ID: before is a dropout; the layer before that one was joined, too.
#   -v split_at=ID: before and after are one operation, a convolution and its maxpool,
#   which come apart; split_at is the layer behind both.
BEGIN { FS = "\t" }
FNR == 1 { file++ }
file == 1 { a[$1] = $2 }
file == 2 { b[$1] = $2 }

# Whether a word of the one text is a word of the other but for a name in it.
function renamed(x, y, from, to,    at)
{
	while ((at = index(x, from)) > 0) {
		if (substr(x, 1, at - 1) to substr(x, at + length(from)) == y)
			return 1
		if (substr(x, 1, at) != substr(y, 1, at))
			return 0
		x = substr(x, at + 1)
		y = substr(y, at + 1)
	}
	return 0
}
function only_renamed(unit, from, to,    i, n, p, q)
{
	n = split(a[unit], p, " ")
	if (n != split(b[unit], q, " "))
		return 0
	for (i = 1; i <= n; i++)
		if (p[i] != q[i] && !renamed(p[i], q[i], from, to))
			return 0
	return 1
}
function owner(unit,    parts) # the layer of net:F:LAYER, op:PHASE:LAYER
{
	split(unit, parts, ":")
	return parts[3]
}
function names(unit, id) # a place, or what it lies behind
{
	return id != "" && index(unit " " a[unit] " " b[unit], toupper(id)) > 0
}
function of_activation(unit, kind)
{
	if (kind == "net" || kind == "op")
		return owner(unit) == layer || only_renamed(unit, old "_grad", new "_grad") || \
			(after != "" && owner(unit) == after && unit ~ /[bB][aA][cC][kK]/)
	if (kind == "place")
		return after != "" && names(unit, layer)
	if (kind == "kernel" || kind == "proto")
		return !((unit in a) && (unit in b)) && \
			(after != "" || index(unit, unit in a ? old : new) > 0)
	if (kind == "tensor")
		return unit == "tensor:" layer ".weight"
	return unit == "layer:" layer
}
function of_dropout(unit, kind,    whose)
{
	if (!split_at && unit ~ /INFER|^net:(infer|evaluate)/)
		return 0
	if (kind == "net" || kind == "op") {
		whose = owner(unit)
		if (whose == layer || split_at && (whose == before || whose == after))
			return 1
		if (unit ~ /backward|BACKWARD|input_gradient/)
			return whose == before || whose == after || whose == split_at || \
				whose == joined
		return whose == after && only_renamed(unit, toupper(before), toupper(layer))
	}
	if (kind == "place")
		return split_at || names(unit, layer) || names(unit, before) || names(unit, after)
	if (kind == "kernel" || kind == "proto")
		return split_at || !((unit in a) && (unit in b))
	if (kind == "model")
		return unit == "model:.step_flops"
	return unit == "layer:" layer
}
function judge(unit,    kind)
{
	if ((unit in a) && (unit in b) && a[unit] == b[unit])
		return
	changed++
	kind = unit
	sub(/:.*/, "", kind)
	if (old != "" ? of_activation(unit, kind) : of_dropout(unit, kind))
		return
	print unit "\n  - " a[unit] "\n  + " b[unit]
}
END {
	for (unit in a)
		judge(unit)
	for (unit in b)
		if (!(unit in a))
			judge(unit)
	if (!changed)
		print "nothing differs"
}
