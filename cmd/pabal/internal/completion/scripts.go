package completion

// The function walks over the words before the cursor to know the command, leaving out
// the values of flags. Bash breaks words at "=", zsh does not.
const bash = `{{define "bash"}}# bash completion for {{.Name}}: source <({{.Name}} completion bash)
{{template "function" .}}
complete -F _{{.Name}} {{.Name}}
{{end}}

{{define "function"}}_{{.Name}}_takes() {
    case "$1" in
    {{patterns .Taking}}) return 0 ;;
    esac
    return 1
}

_{{.Name}}_known() {
    case "$1" in
    {{patterns .Places}}) return 0 ;;
    esac
    return 1
}

_{{.Name}}() {
    local at="" cur="${COMP_WORDS[COMP_CWORD]}" of="" word i words=""
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word="${COMP_WORDS[i]}"
        of=""
        case "$word" in
        -*=*) ;;
        -*)
            if _{{.Name}}_takes "${at:+$at }$word"; then
                of="$word"
                i=$((i + 1))
                if [[ "${COMP_WORDS[i]}" == "=" ]] && ((i < COMP_CWORD)); then
                    i=$((i + 1))
                fi
                if ((i < COMP_CWORD)); then
                    of=""
                fi
            fi
            ;;
        *)
            if _{{.Name}}_known "${at:+$at }$word"; then
                at="${at:+$at }$word"
            fi
            ;;
        esac
    done
    if [[ "$cur" == "=" ]]; then
        cur=""
    fi
    local before=""
    case "$cur" in
    --*=*)
        of="${cur%%=*}"
        before="$of="
        cur="${cur#*=}"
        ;;
    esac
    if [[ -n "$of" ]]; then
        case "${at:+$at }$of" in
{{- range $c := .Commands}}{{range $f := $c.Flags}}{{if $f.Values}}
        "{{if $c.At}}{{$c.At}} {{end}}--{{$f.Name}}") words="{{join $f.Values " "}}" ;;
{{- else if $f.File}}
        "{{if $c.At}}{{$c.At}} {{end}}--{{$f.Name}}")
            compopt -o filenames 2>/dev/null
            COMPREPLY=($(compgen -P "$before" -f -- "$cur"))
            return
            ;;
{{- end}}{{end}}{{end}}
        esac
        COMPREPLY=($(compgen -P "$before" -W "$words" -- "$cur"))
        return
    fi
    case "$at" in
{{- range .Commands}}
    "{{.At}}")
        words="{{.Words}}"
        if [[ "$cur" == -* ]]; then
            words="{{.Options}}"
        fi
        ;;
{{- end}}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
{{end}}`

const zsh = `{{define "zsh"}}#compdef {{.Name}}
# zsh completion for {{.Name}}: source <({{.Name}} completion zsh)
autoload -Uz compinit bashcompinit
(( $+functions[compdef] )) || compinit
bashcompinit
{{template "function" .}}
complete -F _{{.Name}} {{.Name}}
{{end}}`

const fish = `{{define "fish"}}# fish completion for {{.Name}}: {{.Name}} completion fish | source
function __{{.Name}}_at
    set -l places{{range .Places}} {{quote .}}{{end}}
    set -l taking{{range .Taking}} {{quote .}}{{end}}
    set -l at
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        if contains -- "$(string trim -- "$at $word")" $taking
            set skip 1
        else if contains -- "$(string trim -- "$at $word")" $places
            set at (string trim -- "$at $word")
        end
    end
    test "$at" = "$argv[1]"
end

complete -c {{.Name}} -f
{{- $name := .Name}}
{{- range $c := .Commands}}
{{- range .Subs}}
complete -c {{$name}} -n "__{{$name}}_at '{{$c.At}}'" -a {{quote .Name}} -d {{quote .Help}}
{{- end}}
{{- if .Values}}
complete -c {{$name}} -n "__{{$name}}_at '{{$c.At}}'" -a {{quote (join .Values " ")}}
{{- end}}
{{- range .Flags}}
complete -c {{$name}} -n "__{{$name}}_at '{{$c.At}}'" -l {{.Name}}{{if .Short}} -s {{.Short}}{{end}}{{if .Takes}} {{if .File}}-r -F{{else}}-x{{end}}{{end}}{{if .Values}} -a {{quote (join .Values " ")}}{{end}} -d {{quote .Help}}
{{- end}}
{{- end}}
{{end}}`
