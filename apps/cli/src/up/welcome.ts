import { API_DOCS_PATH } from '@muster/protocol';
import type { Stack } from '@muster/local-stack';
import type { Colours } from '../output.js';

export interface WelcomeFacts {
  readonly stack: Pick<Stack, 'url' | 'dataDir' | 'adminKey' | 'adminKeyFile' | 'firstStart' | 'logDir'>;
  /** Context under which the key was saved; null when it was not. */
  readonly contextName: string | null;
  /** Commands go to this stack without further words. */
  readonly isCurrent: boolean;
  /** How people call the CLI here. */
  readonly program: string;
}

/** Where things are; the key stands in it at the first start only. */
export function renderPlaces({ stack, contextName }: WelcomeFacts, colours: Colours): string {
  const saved =
    contextName === null
      ? `saved in ${stack.adminKeyFile}`
      : `saved in your CLI context "${contextName}" and in ${stack.adminKeyFile}`;
  const lines: [string, string][] = [
    ['URL', colours.bold(stack.url)],
    ['API docs', `${stack.url}${API_DOCS_PATH}`],
    ['Data', stack.dataDir],
  ];
  if (stack.firstStart && stack.adminKey !== undefined) {
    lines.push(['Admin key', `${colours.bold(stack.adminKey)}\n${' '.repeat(14)}shown once, ${saved}`]);
  }
  return lines.map(([name, value]) => `  ${name.padEnd(12)}${value}`).join('\n');
}

/** The three commands to type next, where things are once more (an example's log may have come between), and how to stop. */
export function renderNextSteps({ stack, isCurrent, contextName, program }: WelcomeFacts): string {
  const call = isCurrent || contextName === null ? program : `${program} --context ${contextName}`;
  return [
    `  Try:   ${call} run -- node -p "'hello from ' + os.hostname()"`,
    `         ${call} ps -a`,
    `         ${call} logs -f @last`,
    '',
    `  URL         ${stack.url}`,
    `  Data        ${stack.dataDir}`,
    `  Admin key   in ${stack.adminKeyFile}`,
    '',
    '  Stop with Ctrl-C; running jobs are asked to stop and go back to the queue.',
  ].join('\n');
}
