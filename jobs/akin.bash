# bash completion of akin: verbs, the options of each verb as `akin VERB --help` lists them, choices, and files.

# The words that the program's own help knows; asked once for each verb and kept for the shell.
_akin_ask() {
    local key=_akin_known_${1//[^a-z]/}
    if [[ -z ${!key-} ]]; then
        if [[ $1 == verbs ]]; then
            printf -v "$key" '%s' "$("${COMP_WORDS[0]}" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')"
        else
            printf -v "$key" '%s' "$("${COMP_WORDS[0]}" "$1" --help 2>/dev/null | sed -n 's/^  .*\(--[a-z].*\)$/\1/p')"
        fi
    fi
    printf '%s\n' "${!key-}"
}

_akin_complete() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]}
    local lines choices
    COMPREPLY=()
    if ((COMP_CWORD == 1)) || { ((COMP_CWORD == 2)) && [[ $verb == help ]]; }; then
        mapfile -t COMPREPLY < <(compgen -W "$(_akin_ask verbs) help --help --version" -- "$current")
        return
    fi
    lines=$(_akin_ask "$verb")
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(sed 's/ .*//' <<<"$lines")" -- "$current")
        return
    fi
    if [[ $previous == --* ]]; then
        # "--fit stretch|pad|crop  ...": a choice completes by itself
        choices=$(sed -n "s/^$previous \([a-z0-9|-]*|[a-z0-9|-]*\) .*/\1/p" <<<"$lines")
        if [[ -n $choices ]]; then
            mapfile -t COMPREPLY < <(compgen -W "${choices//|/ }" -- "$current")
            return
        fi
    fi
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    compopt -o filenames 2>/dev/null
}

complete -F _akin_complete akin
