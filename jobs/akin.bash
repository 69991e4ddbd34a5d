# bash completion of akin: verbs, the options of each verb as `akin VERB --help` lists them, choices, and files.

# REPLY: the verbs, or the options of a verb, one per line. The program is called once for each of these per shell.
_akin_ask() {
    local known=_akin_known_${1//[^a-z]/}
    if [[ -z ${!known-} ]]; then
        if [[ $1 == verbs ]]; then
            REPLY=$("${COMP_WORDS[0]}" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
        else
            REPLY=$("${COMP_WORDS[0]}" "$1" --help 2>/dev/null | sed -n 's/^  .\{0,4\}\(--[a-z].*\)$/\1/p')
        fi
        printf -v "$known" '%s' "$REPLY"
    fi
    REPLY=${!known-}
}

_akin_complete() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]} choices REPLY
    COMPREPLY=()
    if ((COMP_CWORD == 1)) || { ((COMP_CWORD == 2)) && [[ $verb == help ]]; }; then
        _akin_ask verbs
        mapfile -t COMPREPLY < <(compgen -W "$REPLY help --help --version" -- "$current")
        return
    fi
    _akin_ask "$verb"
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(sed 's/ .*//' <<<"$REPLY")" -- "$current")
        return
    fi
    if [[ $previous == --* ]]; then
        # "--fit stretch|pad|crop  ...": a choice completes by itself
        choices=$(sed -n "s/^$previous \([a-z0-9|-]*|[a-z0-9|-]*\)\( .*\)\?$/\1/p" <<<"$REPLY")
        if [[ -n $choices ]]; then
            mapfile -t COMPREPLY < <(compgen -W "${choices//|/ }" -- "$current")
            return
        fi
    fi
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    compopt -o filenames 2>/dev/null
}

complete -F _akin_complete akin
