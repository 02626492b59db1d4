import { createColors } from 'picocolors';
import { table } from '../src/render/table.js';
import { drainText, workerFacts, workerNote, workerRows, workersSummary } from '../src/render/worker.js';
import { aDrain, aWorker } from './a-worker.js';

const NOW = Date.parse('2026-11-22T12:00:00.000Z');
const colours = createColors(false);

function drawn(columns: number, ...workers: Parameters<typeof workerRows>[0]): string {
  const [head = [], ...rows] = workerRows(workers, NOW, columns, colours);
  return table(head, rows);
}
const widestOf = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

describe('a list of workers', () => {
  const gpus = [{ index: 0, uuid: null, model: 'NVIDIA H100 80GB HBM3', memoryMb: 81_559, driver: '550' }];
  const plainOne = aWorker('lab-3');
  const large = aWorker('head', { inventory: { ...plainOne.inventory, gpus }, capability: 'hybrid', slotsUsed: 4, status: 'busy', sample: null });
  const away = aWorker('attic', { status: 'offline', link: 'unreachable', lastBeatAt: '2026-11-22T10:30:00.000Z', versionSkew: 'older', agentVersion: '0.0.9' });

  it('has one line per worker with what a person wants to know', () => {
    expect(drawn(180, plainOne, large, away)).toBe(
      [
        'NAME   STATUS   SLOTS  KIND    CPU        MEMORY          GPUS                  BEAT        NOTE                                              ID',
        `lab-3  online   1/4    cpu     12% of 16  25% of 67.1 GB  -                     3s ago      zone=lab                                          ${plainOne.id}`,
        `head   busy     4/4    hybrid  16         67.1 GB         1× NVIDIA H100 80GB…  3s ago      zone=lab                                          ${large.id}`,
        `attic  offline  1/4    cpu     12% of 16  25% of 67.1 GB  -                     1h 30m ago  1 job in doubt · agent 0.0.9 is older · zone=lab  ${away.id}`,
      ].join('\n'),
    );
  });

  it('fits a terminal: notes are cut, and ids are left out where there is no room for them', () => {
    const drained = aWorker('lab-9', { drain: aDrain(), status: 'maintenance', maintenance: { reason: 'new disk', by: 'maria', since: '' } });
    expect(widestOf(drawn(100, plainOne, drained))).toBe(100);
    expect(drawn(100, plainOne, drained)).not.toContain(plainOne.id);
    expect(drawn(Number.POSITIVE_INFINITY, plainOne, drained)).toContain(`draining: 1 of 3 jobs left, stopped in 4m 10s (new disk, maria) · zone=lab  ${drained.id}`);
  });

  it('fits a terminal of 80 columns, without totals and without GPUs that nobody has', () => {
    const drained = aWorker('lab-9', { drain: aDrain(), status: 'maintenance' });
    expect(drawn(80, plainOne, drained)).toBe(
      [
        'NAME   STATUS       SLOTS  KIND  CPU  MEMORY  BEAT    NOTE',
        'lab-3  online       1/4    cpu   12%  25%     3s ago  zone=lab',
        'lab-9  maintenance  1/4    cpu   12%  25%     3s ago  draining: 1 of 3 jobs lef…',
      ].join('\n'),
    );
  });

  it('says in one line how they are', () => {
    expect(workersSummary([plainOne, large, away])).toBe('3 workers: 1 online, 1 busy, 1 offline · 6 of 9 slots used');
    expect(workersSummary([])).toBe('0 workers');
  });

  it("lets no escape sequence of somebody else's machine through", () => {
    const nasty = aWorker('\u001b]0;owned\u0007x', { labels: { a: '\u001b[2J' }, drain: aDrain({ reason: '\u001b[31mred' }) });
    expect(`${drawn(200, nasty)}${workerFacts(nasty, NOW, 80, colours)}`).not.toMatch(/[\u001b\u0007]/);
  });
});

describe('what is ordered about a worker', () => {
  it.each([
    [{}, 'draining: 1 of 3 jobs left, stopped in 4m 10s (new disk, maria)'],
    [{ policy: 'wait' as const }, 'draining: 1 of 3 jobs left, alert in 4m 10s (new disk, maria)'],
    [{ deadlineAt: null, reason: null, jobsAtStart: 1 }, 'draining: 1 of 1 job left (maria)'],
    [{ isOverdue: true }, 'draining: 1 of 3 jobs left, being stopped (new disk, maria)'],
    [{ isOverdue: true, policy: 'wait' as const }, 'draining: 1 of 3 jobs left, past its deadline (new disk, maria)'],
    [{ state: 'drained' as const, jobsLeft: 0 }, 'drained (new disk, maria)'],
  ])('%j is said as %s', (changes, words) => {
    expect(drainText(aWorker('lab-3', { drain: aDrain(changes) }), NOW)).toBe(words);
  });

  it('is said without times that pass where only changes are told', () => {
    const worker = aWorker('lab-3', { drain: aDrain() });
    expect(workerNote(worker, null)).toBe('draining: 1 of 3 jobs left, deadline 2026-11-22T12:04:10.000Z (new disk, maria) · zone=lab');
    expect(workerNote(aWorker('lab-3', { maintenance: { reason: null, by: 'maria', since: '' } }), null)).toBe('cordoned (maria) · zone=lab');
  });
});

describe('all there is to know of a worker', () => {
  it('is wrapped between words beside what it is called', () => {
    const facts = workerFacts(aWorker('lab-3'), NOW, 60, colours);
    expect(widestOf(facts)).toBeLessThanOrEqual(60);
    expect(facts).toContain('\n          ');
  });

  it('tells what people set from what its agent says', () => {
    const facts = workerFacts(aWorker('lab-3', { slots: 2, overridden: ['slots'] }), NOW, Number.POSITIVE_INFINITY, colours);
    expect(facts).toMatch(/^Slots +1 of 2 used \(set by people; the agent says 4\)$/m);
    expect(facts).toMatch(/^Labels +zone=lab$/m);
  });

  it('says unknown of what is unknown, and how old the agent is', () => {
    const sample = { cpuPercent: null, memoryUsedMb: null, diskFreeMb: null };
    const facts = workerFacts(aWorker('lab-3', { sample, versionSkew: 'older', agentVersion: '0.0.9' }), NOW, Number.POSITIVE_INFINITY, colours);
    expect(facts).toMatch(/^Load +processors \?, memory \?, disk free \?$/m);
    expect(facts).toMatch(/^Agent +0\.0\.9, older than the control plane$/m);
  });
});
