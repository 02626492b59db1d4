import type { Declare } from '../command.js';
import { plain } from '../render/text.js';
import type { Session } from '../session.js';

export const declare: Declare = (program, bind) => {
  const command = program
    .command('whoami')
    .summary('Show whose key is used, and where.')
    .description('Show whose key is used, what it may do, and at which control plane.');
  bind(command, whoami);
};

async function whoami(session: Session): Promise<void> {
  const muster = await session.muster();
  const { output, signal, target } = session;
  const [me, meta] = await Promise.all([muster.me({ signal }), muster.meta({ signal })]);
  if (output.isJson) {
    return output.document({
      ...me,
      url: muster.url,
      context: target.contextName,
      keySource: target.keySource,
      version: meta.version,
    });
  }
  const lines = [
    ['Owner', plain(me.owner)],
    ['Role', me.role],
    ['Key', `${plain(me.name)} (${me.keyId})`],
    ['URL', `${muster.url}${target.contextName === null ? '' : ` (context "${target.contextName}")`}`],
    ['Version', meta.version],
  ] as const;
  await output.line(lines.map(([name, value]) => `${name.padEnd(10)}${value}`).join('\n'));
}
