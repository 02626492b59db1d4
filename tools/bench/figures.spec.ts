import { cpuBetween, cpuOfParts, parseStat } from './measure/cpu-accounting.mjs';
import { atLeastShare, atMost, figureOf, latencyOf, remarkOf } from './measure/figure.mjs';
import { median, percentile, summaryOf } from './measure/statistics.mjs';
import { linesOf, startOfLine } from './logs/lines.mjs';
import { readOptions } from './options.mjs';
import { topCosts } from './profile/top-costs.mjs';
import { cellsOf, shown, tableOf } from './report/table.mjs';
import { factsOf } from './scale/plans.mjs';
import { MODES, sizesOf, SUITES } from './sizes.mjs';

describe('statistics', () => {
  it('takes the middle value as median, and the mean of two middle ones', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('finds the value below which a share of the values lies', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(hundred, 0.5)).toBe(51);
    expect(percentile(hundred, 0.99)).toBe(100);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it('changes no list it is given', () => {
    const values = [3, 1, 2];
    summaryOf(values);
    expect(values).toEqual([3, 1, 2]);
    expect(summaryOf(values)).toEqual({ count: 3, p50: 2, p95: 3, p99: 3, lowest: 1, highest: 3 });
  });
});

describe('a figure', () => {
  it('compares round by round where the limit was measured beside each round', () => {
    const limit = { name: 'spawns/s', values: [1_000, 100, 1_000] };
    expect(figureOf({ name: 'jobs', unit: '/s', values: [300, 30, 310], limit }).ratio).toBeCloseTo(0.3);
  });

  it('compares medians where the limit was measured once', () => {
    expect(
      figureOf({ name: 'jobs', unit: '/s', values: [100, 300, 200], limit: { name: '/s', values: [400] } }),
    ).toMatchObject({
      value: 200,
      lowest: 100,
      highest: 300,
      ratio: 0.5,
      limit: { name: '/s', value: 400 },
    });
  });

  it('says whether its aim is reached, and at the very aim it is', () => {
    const of = (value: number) =>
      figureOf({
        name: 'jobs',
        unit: '/s',
        values: [value],
        limit: { name: '/s', values: [100] },
        aim: atLeastShare(0.3),
      });
    expect([29, 30, 31].map((value) => of(value).aim?.isReached)).toEqual([false, true, true]);
    const memory = (value: number) =>
      figureOf({ name: 'memory', unit: 'MiB', values: [value], aim: atMost(55, 'MiB') });
    expect([55, 56].map((value) => memory(value).aim?.isReached)).toEqual([true, false]);
  });

  it('keeps percentiles of latencies instead of the samples', () => {
    const figure = latencyOf({ name: 'beat', values: [1, 2, 3, 4] });
    expect(figure).toMatchObject({ kind: 'latency', unit: 'ms', value: 2.5, count: 4, p99: 4 });
    expect(figure).not.toHaveProperty('values');
  });
});

describe('the table', () => {
  it('shows as many digits as a number is worth', () => {
    expect([0.1234, 1.234, 12.34, 1_234.5, 3, Number.NaN].map((value) => shown(value))).toEqual([
      '0.123',
      '1.23',
      '12.3',
      '1,235',
      '3',
      '-',
    ]);
    expect(shown(12.34, 'ms')).toBe('12.3 ms');
  });

  it('has a column for each fact and one line for each figure', () => {
    const figures = [
      figureOf({
        name: 'jobs',
        unit: '/s',
        values: [10, 20, 30],
        limit: { name: 'spawns/s', values: [100] },
        aim: atLeastShare(0.3),
        note: 'n',
      }),
      latencyOf({ name: 'start', values: [1, 3] }),
      remarkOf('stats', 'no such route'),
    ];
    expect(figures.map(cellsOf)).toEqual([
      ['jobs', '20 /s', '10 to 30', '100 spawns/s', '0.200', '>= 0.3 of it: NOT reached', 'n'],
      ['start', '2 ms', 'p99 3, n 2', '', '', '', ''],
      ['stats', '', '', '', '', '', 'no such route'],
    ]);
    const lines = tableOf(figures);
    expect(lines).toHaveLength(5);
    expect(new Set(lines.map((line) => line.split('|').length))).toEqual(new Set([9]));
  });
});

describe('processor time', () => {
  const processes = new Map([
    [10, { parent: 1, ownTicks: 5, childTicks: 2 }],
    [20, { parent: 10, ownTicks: 3, childTicks: 4 }],
    [30, { parent: 20, ownTicks: 1, childTicks: 0 }],
    [40, { parent: 10, ownTicks: 7, childTicks: 1 }],
    [99, { parent: 1, ownTicks: 100, childTicks: 100 }],
  ]);

  it('belongs to the nearest part above a process, and to none where there is none', () => {
    const roots = [
      { pid: 10, name: 'bench' },
      { pid: 20, name: 'agent', below: 'jobs' },
      { pid: 40, name: 'server' },
    ];
    expect(cpuOfParts(processes, roots)).toEqual({ bench: 70, agent: 30, jobs: 50, server: 80 });
  });

  it('is counted per unit of work between two looks', () => {
    expect(cpuBetween({ a: 100, b: 50 }, { a: 300, b: 50 }, 100)).toEqual({ total: 2, parts: { a: 2, b: 0 } });
  });

  it('is read from the line of a process whose name holds brackets and spaces', () => {
    const line = '42 (a) b (c) S 7 42 42 0 -1 4194304 1 2 3 4 11 22 33 44 20 0 1 0 5 6 7';
    expect(parseStat(line)).toEqual({ parent: 7, ownTicks: 33, childTicks: 77 });
  });
});

describe('a profile', () => {
  it('is told by owner, function and by our own functions on the stack, idle time apart', () => {
    const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 4 });
    const nodes = [
      { id: 1, callFrame: frame('(root)', ''), children: [2, 5] },
      {
        id: 2,
        callFrame: frame('commit', 'file:///x/apps/control-plane/dist/engine/engine.service.js'),
        children: [3, 4],
      },
      { id: 3, callFrame: frame('query', 'file:///x/node_modules/pg/lib/client.js') },
      { id: 4, callFrame: frame('commit', 'file:///x/apps/control-plane/dist/engine/engine.service.js') },
      { id: 5, callFrame: frame('(idle)', '') },
    ];
    const costs = topCosts({ nodes, samples: [3, 3, 4, 5], timeDeltas: [1_000, 2_000, 1_000, 9_000] });
    expect(costs).toMatchObject({ busyMs: 4, idleMs: 9 });
    expect(costs.owners).toEqual([
      { name: 'pg', ms: 3 },
      { name: 'apps/control-plane/engine', ms: 1 },
    ]);
    expect(costs.totals).toEqual([{ name: 'commit apps/control-plane/engine/engine.service.js:5', ms: 4 }]);
  });
});

describe('a plan', () => {
  it('tells its time and the pages it touched', () => {
    const plan =
      'Limit (actual time=1..2)\n  Buffers: shared hit=12 read=3 dirtied=1\n  -> Scan\n    Buffers: shared hit=5\nExecution Time: 4.321 ms';
    expect(factsOf(plan)).toEqual({ ms: 4.321, buffers: 15 });
    expect(factsOf('Result\nExecution Time: 0.1 ms')).toEqual({ ms: 0.1, buffers: 0 });
  });
});

describe('log lines', () => {
  it('are the same bytes for the same seed, of one length, each with its number', () => {
    const textOf = (count: number) =>
      Buffer.concat(Array.from(linesOf({ count, lineBytes: 100 }), (block) => Buffer.from(block))).toString();
    const lines = textOf(4_500).split('\n');
    expect(lines.pop()).toBe('');
    expect(lines).toHaveLength(4_500);
    expect(lines.every((line, number) => line.length === 99 && line.startsWith(startOfLine(number)))).toBe(true);
    expect(textOf(50)).toBe(textOf(50));
    expect(new Set(lines).size).toBe(4_500);
  });
});

describe('the command line of the bench', () => {
  it('takes one suite or all of them, in full unless told otherwise', () => {
    expect(readOptions([])).toEqual({ suites: ['core'], mode: 'full', isProfiled: false, json: undefined });
    expect(readOptions(['all', '--quick', '--json', 'x.json'])).toMatchObject({
      suites: SUITES,
      mode: 'quick',
      json: 'x.json',
    });
    expect(readOptions(['logs', '--smoke'])).toMatchObject({ suites: ['logs'], mode: 'smoke' });
  });

  it('refuses what it does not know', () => {
    expect(readOptions(['speed'])).toEqual({ complaint: expect.stringContaining('There is no suite "speed"') });
    expect(readOptions(['core', 'logs'])).toHaveProperty('complaint');
    expect(readOptions(['--fast'])).toHaveProperty('complaint');
  });

  it('knows the sizes of every suite in every mode', () => {
    for (const suite of SUITES)
      for (const mode of MODES) expect(Object.values(sizesOf(suite, mode)).length).toBeGreaterThan(0);
  });
});
