import type { Declare } from '../command.js';
import { resolveJobId } from '../job-reference.js';
import { paintStatus } from '../render/job.js';
import { plain, wrapped } from '../render/text.js';
import type { Session } from '../session.js';

export const declare: Declare = (program, bind) => {
  const command = program
    .command('explain')
    .summary('Say why a job is where it is.')
    .description('Say why a job is where it is, worker by worker while it waits.')
    .argument('<job>', 'Id, beginning of an id, name, or @last.');
  bind(command, explain);
};

async function explain(session: Session, _flags: object, reference: string): Promise<void> {
  const muster = await session.muster();
  const { output, signal } = session;
  const explanation = await muster.jobs.explain(await resolveJobId(session, reference), { signal });
  if (output.isJson) return output.document(explanation);
  const { jobId, status, reasonText, detail, perWorker } = explanation;
  const say = (text: string): Promise<void> => output.line(wrapped(output.called(text), output.columns));
  await say(`${jobId} is ${paintStatus(status, output.colours)}: ${reasonText.sentence}`);
  if (detail !== null) await say(plain(detail));
  if (reasonText.action !== '') await say(reasonText.action);
  if (perWorker.length === 0) return;
  const { table } = await import('../render/table.js');
  const rows = perWorker.map(({ workerName, reasons }) => [
    plain(workerName),
    reasons.length === 0 ? 'fits' : plain(reasons.join('; ')),
  ]);
  await output.line(`\n${table(['WORKER', 'WHY NOT'], rows)}`);
}
