# shellcheck shell=bash
# bash.sh SCRIPT LINE - what bash's TAB at the end of the line would offer, a word each.
# The line is cut as readline cuts it: at spaces, and around '='.
# shellcheck source=/dev/null
source "$1"
line=${2//=/ = }
read -ra COMP_WORDS <<<"$line"
[[ $line != *' ' || $2 == *= ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
command=${COMP_WORDS[0]##*/}
spec=$(complete -p -- "$command") || exit
function=${spec##*-F } function=${function%% *}
"$function" "$command" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
