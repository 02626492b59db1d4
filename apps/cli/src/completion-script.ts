/** What a shell needs to complete our words. Pure: the commands in, a script out. */
import type { Command } from 'commander';

/** Words that may follow these words: `''` for the program itself, `worker show` for a command below another. */
interface Place {
  readonly path: string;
  readonly words: readonly string[];
}

export function completionScript(program: Command, shell: 'bash' | 'zsh' | 'fish'): string {
  const places = placesIn(program, '');
  if (shell === 'fish') return fishScript(places);
  return shell === 'bash' ? bashScript(places) : `autoload -U +X bashcompinit && bashcompinit\n${bashScript(places)}`;
}

function placesIn(command: Command, path: string): readonly Place[] {
  const names = command.commands.flatMap((below) => [below.name(), ...below.aliases()]);
  const options = command.options.flatMap(({ long }) => long ?? []);
  const below = command.commands.flatMap((one) =>
    [one.name(), ...one.aliases()].flatMap((name) => placesIn(one, path === '' ? name : `${path} ${name}`)),
  );
  return [{ path, words: [...names, ...options, '--help'] }, ...below];
}

/** Options before a command's name are passed over, as far as they have no value of their own. */
function bashScript(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  const cases = places.map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`);
  return `_muster() {
  local at=1 path='' next words=''
  while [ "$at" -lt "$COMP_CWORD" ]; do
    next="\${path:+$path }\${COMP_WORDS[at]}"
    case "$next" in
      ${paths.join('|')}) path=$next ;;
    esac
    at=$((at + 1))
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _muster muster
`;
}

function fishScript(places: readonly Place[]): string {
  const lines = places.map(({ path, words }) => {
    const parts = path === '' ? [] : path.split(' ');
    const isHere = path === '' ? '__fish_use_subcommand' : parts.map((part) => `__fish_seen_subcommand_from ${part}`).join('; and ');
    return `complete -c muster -n '${isHere}' -a '${words.join(' ')}'`;
  });
  return `${lines.join('\n')}\n`;
}
