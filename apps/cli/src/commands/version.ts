import type { Declare } from '../command.js';
import type { Session } from '../session.js';
import { CLI_VERSION } from '../version.js';

interface VersionFlags {
  readonly server?: boolean;
}

export const declare: Declare = (program, bind) => {
  const command = program
    .command('version')
    .summary('Print versions.')
    .description('Print the version of this program, and with --server that of the control plane.')
    .option('--server', 'Ask the control plane for its version too.');
  bind(command, version);
};

async function version(session: Session, flags: VersionFlags): Promise<void> {
  const { output, signal } = session;
  const own = { version: CLI_VERSION, node: process.version, platform: `${process.platform}-${process.arch}` };
  const meta = flags.server === true ? await (await session.muster()).meta({ signal }) : null;
  if (output.isJson) {
    return output.document(
      meta === null
        ? own
        : { ...own, server: { url: session.target.url, version: meta.version, protocolVersion: meta.protocolVersion } },
    );
  }
  await output.line(`muster ${own.version} (node ${own.node}, ${own.platform})`);
  if (meta !== null)
    await output.line(
      `control plane ${meta.version} at ${session.target.url} (agent protocol ${meta.protocolVersion})`,
    );
}
