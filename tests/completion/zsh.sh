# zsh.sh SCRIPT LINE FOLDER - what zsh's TAB at the end of the line would offer, a word
# each: a zsh on a pseudo terminal, whose compadd writes what it is given to the folder.
zmodload zsh/zpty || exit 1
typeset -r inner='
PROMPT= PS2= TERM=dumb
unsetopt prompt_sp zle_bracketed_paste
autoload -Uz compinit && compinit -u -d "$WORK/zcompdump"
compadd()
{
	if [[ " ${(j: :)@[1,(i)(-|--)]} " == *" "-[a-zA-Z0-9]#[OAD]" "* ]]; then
		builtin compadd "$@"
		return
	fi
	local -a hits
	builtin compadd -O hits "$@"
	(($#hits)) && print -rl -- $hits >>"$WORK/hits"
	builtin compadd "$@"
}
setopt extended_glob
done_() { zle complete-word; print >"$WORK/done"; }
zle -C complete-word complete-word _main_complete
zle -N done_
bindkey "^I" done_
source "$SCRIPT"
print >"$WORK/ready"
'
export SCRIPT=$1 WORK=$3
rm -f $WORK/ready $WORK/done
print -r -- "$inner" >$WORK/inner
: >$WORK/hits
zpty inner zsh -f -i
zpty -w inner "source $WORK/inner"
wait_for() { local i; for ((i = 0; i < 300; i++)); do [[ -e $1 ]] && return; sleep 0.1; zpty -r -t inner REPLY; done; return 1 }
wait_for $WORK/ready || exit 1
zpty -n -w inner "$2"$'\t'
wait_for $WORK/done || exit 1
zpty -d inner
sort -u $WORK/hits
