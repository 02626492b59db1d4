import type { AgentStatusView } from '@muster/protocol';

/** What the agent says of itself, for people: plain, self-contained, every value escaped. */
export function toPage(status: AgentStatusView): string {
  const rows = status.executions.map(
    ({ attemptId, jobId, name, phase }) =>
      `<tr>${[name, phase, jobId, attemptId].map((cell) => `<td>${escape(cell)}</td>`).join('')}</tr>`,
  );
  const { link, slots } = status;
  const linkText = link.state === 'waiting' ? `next try at ${link.nextTryAt} (${link.lastFailure})` : link.state;
  const facts: readonly (readonly [string, string])[] = [
    ['Control plane', status.url],
    ['Link', linkText],
    ['Last beat', status.lastBeatAt ?? 'never'],
    ['Worker', status.workerId ?? 'not registered yet'],
    [
      'Slots',
      `${slots.free} of ${slots.total} free${slots.quarantined > 0 ? `, ${slots.quarantined} quarantined` : ''}`,
    ],
    ['Containment', status.containment.default],
    ['Declining offers', status.objection ?? 'no'],
    ['Faults', status.faults.map(({ detail }) => detail).join(' ') || 'none'],
    ['Mode', status.mode],
  ];
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>${escape(status.name)} · Muster agent</title>
<style>body{font:15px/1.5 system-ui;margin:2rem;max-width:60rem}th{text-align:left;padding-right:2rem;font-weight:500}td{padding-right:2rem}</style>
<h1>${escape(status.name)} is ${status.status}</h1>
<table>${facts.map(([name, value]) => `<tr><th>${name}</th><td>${escape(value)}</td></tr>`).join('')}</table>
<h2>Executions</h2>
${rows.length > 0 ? `<table><tr><th>Job</th><th>Phase</th><th>Job id</th><th>Attempt</th></tr>${rows.join('')}</table>` : '<p>None.</p>'}
</html>
`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
