import type { Declare } from '../command.js';
import { contextsPath, readContexts, withoutContext, writeContexts, type ContextsFile } from '../contexts.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import type { Session } from '../session.js';

export const declare: Declare = (program, bind) => {
  const context = program
    .command('context')
    .summary('List, choose and remove saved control planes.')
    .description('List, choose and remove saved control planes. `muster login` adds one.');
  bind(
    context
      .command('list')
      .alias('ls')
      .summary('List contexts.')
      .description('List saved contexts; keys are not shown.'),
    list,
  );
  bind(
    context
      .command('show')
      .summary('Show where commands go now.')
      .description('Show the control plane that commands go to now, and where its key comes from.'),
    show,
  );
  bind(
    context
      .command('use')
      .summary('Choose a context.')
      .description('Make a context the current one.')
      .argument('<name>', 'Its name.'),
    use,
  );
  bind(
    context
      .command('remove')
      .alias('rm')
      .summary('Forget a context.')
      .description('Forget a context and its key.')
      .argument('<name>', 'Its name.'),
    remove,
  );
};

async function list(session: Session): Promise<void> {
  const file = readContexts(session.environment.configFolder);
  const contexts = Object.entries(file.contexts).map(([name, { url }]) => ({
    name,
    url,
    current: name === file.current,
  }));
  const { output } = session;
  if (output.isJson) return output.document(contexts);
  if (contexts.length === 0) {
    output.note('No context is saved. Add one: muster login');
    return;
  }
  const { table } = await import('../render/table.js');
  await output.line(
    table(
      ['CURRENT', 'NAME', 'URL'],
      contexts.map(({ name, url, current }) => [current ? '*' : ' ', name, url]),
    ),
  );
}

async function show(session: Session): Promise<void> {
  const { url, contextName, keySource } = session.target;
  const path = contextsPath(session.environment.configFolder);
  const { output } = session;
  if (output.isJson) return output.document({ url, context: contextName, keySource, path });
  await output.line(
    `${'URL'.padEnd(10)}${url}\n${'Context'.padEnd(10)}${contextName ?? '-'}\n${'Key from'.padEnd(10)}${keySource}\n${'File'.padEnd(10)}${path}`,
  );
}

async function use(session: Session, _flags: object, name: string): Promise<void> {
  const folder = session.environment.configFolder;
  const file = existing(readContexts(folder), name);
  writeContexts(folder, { ...file, current: name });
  await said(session, name, `Commands go to ${file.contexts[name]?.url ?? ''} now.`);
}

async function remove(session: Session, _flags: object, name: string): Promise<void> {
  const folder = session.environment.configFolder;
  writeContexts(folder, withoutContext(existing(readContexts(folder), name), name));
  await said(session, name, `Forgot context "${name}".`);
}

async function said(session: Session, name: string, text: string): Promise<void> {
  if (session.output.isJson) await session.output.document({ context: name });
  else session.output.note(text);
}

function existing(file: ContextsFile, name: string): ContextsFile {
  if (Object.hasOwn(file.contexts, name)) return file;
  throw new Failure({
    code: 'notFound',
    exitCode: EXIT.notFound,
    what: `There is no context "${name}".`,
    next: 'muster context list',
  });
}
