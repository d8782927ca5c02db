/** What each shell has to be told: to ask `gatescope complete` with the words so far, and to complete file names where it has no answer. */

/** Bash shows no descriptions; a candidate is what stands before the tab. `:` and `=` in words are Bash's own business to take apart. */
const bash = `_gatescope() {
  local candidate
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate _; do
    COMPREPLY+=("$candidate")
  done < <(gatescope complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _gatescope gatescope
`;

const zsh = `#compdef gatescope
_gatescope() {
  local line
  local -a candidates
  for line in "\${(@f)$(gatescope complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#candidates} )); then _describe gatescope candidates; else _files; fi
}
if [[ $funcstack[1] == _gatescope ]]; then _gatescope "$@"; else compdef _gatescope gatescope; fi
`;

const fish = `function __gatescope
  set -l words (commandline -opc) (commandline -ct)
  gatescope complete -- $words[2..-1] 2>/dev/null
end
complete -c gatescope -f -a '(__gatescope)'
complete -c gatescope -F -n 'test (count (__gatescope)) -eq 0'
`;

export const completionScripts: Readonly<Record<string, string>> = { bash, zsh, fish };
