import { Argument, type Command } from 'commander';
import type { Declare } from '../command.js';
import type { Session } from '../session.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export const declare: Declare = (program, bind) => {
  const command = program
    .command('completion')
    .summary('Print what completes words with Tab.')
    .description('Print a script that lets a shell complete commands and options with Tab.')
    .addArgument(new Argument('<shell>', `Which shell: ${SHELLS.join(', ')}.`).choices(SHELLS))
    .addHelpText(
      'after',
      '\nExamples:\n  echo \'source <(muster completion bash)\' >>~/.bashrc\n  echo \'source <(muster completion zsh)\' >>~/.zshrc\n  muster completion fish >~/.config/fish/completions/muster.fish\n',
    );
  bind(command, (session: Session, _flags: object, shell: Shell) => completion(session, program, shell));
};

/** The program has every command when this one is called. */
async function completion({ output }: Session, program: Command, shell: Shell): Promise<void> {
  const { completionScript } = await import('../completion/script.js');
  await output.write(completionScript(program, shell));
}
