/** What a shell needs to complete our words. Pure: the commands in, a script out. */
import type { Command } from 'commander';
import { placesIn, type OfferedOption, type Place } from './places.js';

export function completionScript(program: Command, shell: 'bash' | 'zsh' | 'fish'): string {
  const places = placesIn(program);
  if (shell === 'fish') return fishScript(places);
  return shell === 'bash' ? bashScript(places) : `${ZSH_START}${bashScript(places)}`;
}

/** A shell whose own completion was not begun yet, as that of a bare .zshrc, begins it here. */
const ZSH_START = `(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
autoload -Uz +X bashcompinit && bashcompinit
`;

const pathsOf = (places: readonly Place[]): string[] => places.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);

/** Options before a command's name are passed over, as far as they have no value of their own. */
function bashScript(places: readonly Place[]): string {
  const cases = places.map(({ path, commands, options }) => {
    const words = [...commands.map(({ name }) => name), ...options.map(({ long }) => long)];
    return `    '${path}') words='${words.join(' ')}' ;;`;
  });
  const values = places.flatMap(({ path, options }) =>
    options.filter(({ choices }) => choices.length > 0).map(({ long, choices }) => `    '${path} ${long}') words='${choices.join(' ')}' ;;`),
  );
  const files = places.flatMap(({ path, options }) =>
    options.filter(({ takesValue, choices }) => takesValue && choices.length === 0).map(({ long }) => `'${path} ${long}'`),
  );
  return `_muster() {
  local at=1 path='' next words=''
  while [ "$at" -lt "$COMP_CWORD" ]; do
    next="\${path:+$path }\${COMP_WORDS[at]}"
    case "$next" in
      ${pathsOf(places).join('|')}) path=$next ;;
    esac
    at=$((at + 1))
  done
  case "$path" in
${cases.join('\n')}
  esac
  case "$path \${COMP_WORDS[COMP_CWORD-1]}" in
${values.join('\n')}
    ${files.join('|')}) words='' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _muster muster
`;
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap((place) => {
    const here = `complete -c muster -n '__muster_at ${quoted(place.path)}'`;
    return [
      ...(place.takesFiles ? [`${here} -F`] : []),
      ...place.commands.map(({ name, summary }) => `${here} -a ${name} -d ${quoted(summary)}`),
      ...place.options.map((option) => `${here} ${fishOption(option)} -d ${quoted(option.description)}`),
    ];
  });
  return `function __muster_at
  set -l path
  for word in (commandline -opc)[2..-1]
    if contains -- (string join ' ' -- $path $word) ${pathsOf(places).join(' ')}
      set -a path $word
    end
  end
  test (string join ' ' -- $path | string collect --allow-empty) = "$argv[1]"
end
complete -c muster -e
complete -c muster -f
${lines.join('\n')}
`;
}

function fishOption({ long, takesValue, choices, takesFile }: OfferedOption): string {
  const name = `-l ${long.slice(2)}`;
  if (!takesValue) return name;
  if (choices.length > 0) return `${name} -x -a ${quoted(choices.join(' '))}`;
  return takesFile ? `${name} -r -F` : `${name} -x`;
}

/** In double quotes, because these stand within single quotes as well. */
function quoted(text: string): string {
  return `"${text.replaceAll(/[\\"$]/g, '\\$&')}"`;
}
