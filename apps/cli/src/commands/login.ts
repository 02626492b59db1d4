import type { Declare } from '../command.js';
import { readKeyFile } from '../config.js';
import { contextsPath, readContexts, withContext, writeContexts } from '../contexts.js';
import { usageFailure } from '../failure.js';
import { plain } from '../render/text.js';
import { askSecret, readSecretFromStdin } from '../secret-input.js';
import type { Session } from '../session.js';
import { CLI_VERSION } from '../version.js';

interface LoginFlags {
  readonly name?: string;
  readonly keyStdin?: boolean;
}

export const declare: Declare = (program, bind) => {
  const command = program
    .command('login')
    .summary('Save a control plane and a key to it.')
    .description(
      'Check a key and save it with its control plane as the current context. Without --key-file, --key-stdin or MUSTER_KEY it asks for the key.',
    )
    .option('--name <context>', 'Name to save it under; the host unless given.')
    .option('--key-stdin', 'Read the key from stdin.')
    .addHelpText('after', '\nExample:\n  muster login --url https://muster.example --key-stdin < key\n');
  bind(command, login);
};

async function login(session: Session, flags: LoginFlags): Promise<void> {
  const { url } = session.target;
  const key = await findKey(session, flags);
  const { Muster } = await import('@muster/client');
  const me = await new Muster({ url, key, userAgent: `muster-cli/${CLI_VERSION}` }).me({ signal: session.signal });
  const folder = session.environment.configFolder;
  const name = flags.name ?? session.options.context ?? nameOf(url);
  writeContexts(folder, withContext(readContexts(folder), name, { url, key }));
  const { output } = session;
  if (output.isJson) return output.document({ context: name, url, ...me });
  output.note(
    `Signed in at ${url} as ${plain(me.owner)} (${me.role}). Saved as context "${name}" in ${contextsPath(folder)}.`,
  );
}

async function findKey(session: Session, flags: LoginFlags): Promise<string> {
  const { keyFile } = session.options;
  if (flags.keyStdin === true) return readSecretFromStdin();
  if (keyFile !== undefined) return readKeyFile(keyFile);
  const { key } = session.environment;
  if (key !== undefined) return key;
  if (!process.stdin.isTTY)
    throw usageFailure(
      'There is no terminal to ask for the key.',
      'muster login --key-stdin < key, or --key-file <path>',
    );
  return askSecret(`Key for ${session.target.url}: `, session.signal);
}

function nameOf(url: string): string {
  const { hostname } = new URL(url);
  return hostname === '127.0.0.1' || hostname === 'localhost' ? 'local' : hostname;
}
