import { isOwnStatus, parseIdent, parseStatus } from './attempt-directory.js';

const reserve = '\n'.repeat(400);

describe('the status record', () => {
  const table: [string, string | null, ReturnType<typeof parseStatus>][] = [
    ['no file', null, null],
    ['an empty file', '', null],
    ['the reserved file', reserve, null],
    ['an exit code', `x 0 12.34 .\n${reserve}`, { code: 0, text: null, atSeconds: 12.34 }],
    ['a signal by name', `Killed\nx 137 99.00 .\n${reserve}`, { code: 137, text: 'Killed', atSeconds: 99 }],
    [
      'a dumped core',
      `Segmentation fault (core dumped)\nx 139 1.5 .\n`,
      { code: 139, text: 'Segmentation fault (core dumped)', atSeconds: 1.5 },
    ],
    [
      'a message of the shell',
      `sh: 1: cannot create x: No space\nx 125 3.00 .\n`,
      { code: 125, text: 'sh: 1: cannot create x: No space', atSeconds: 3 },
    ],
    ['a text without the rest', `Killed\n${reserve}`, null],
    ['a record cut in the code', `x 13${reserve}`, null],
    ['a record cut before its mark', `x 137 99.00 ${reserve}`, null],
    ['two lines of text', `a\nb\nx 1 2.0 .\n`, null],
  ];
  it.each(table)('reads %s', (_what, text, status) => {
    expect(parseStatus(text)).toEqual(status);
  });
});

describe('the identity record', () => {
  const supervisor = { pid: 10, startTicks: 2000 };
  const table: [string, string | null, ReturnType<typeof parseIdent>][] = [
    ['no file', null, { bootId: null, supervisor: null, job: null, startedAtSeconds: null }],
    ['a claim', 's b-1 10 2000\n', { bootId: 'b-1', supervisor, job: null, startedAtSeconds: null }],
    ['a claim cut short', 's b-1 10 20', { bootId: null, supervisor: null, job: null, startedAtSeconds: null }],
    [
      'claim and job',
      's b-1 10 2000\ni 11 2001 20.34 .\n',
      { bootId: 'b-1', supervisor, job: { pid: 11, startTicks: 2001 }, startedAtSeconds: 20.34 },
    ],
    [
      'a job noted by a supervisor from before starts were prepared',
      's b-1 10 2000\ni 11 2001 .\n',
      { bootId: 'b-1', supervisor, job: { pid: 11, startTicks: 2001 }, startedAtSeconds: 20.01 },
    ],
    [
      'a job cut short',
      's b-1 10 2000\ni 11 2001 20.3',
      { bootId: 'b-1', supervisor, job: null, startedAtSeconds: null },
    ],
  ];
  it.each(table)('reads %s', (_what, text, ident) => {
    expect(parseIdent(text)).toEqual(ident);
  });
});

describe('the end of an execution', () => {
  const claim = 's b-1 10 2000\n';
  const job = `${claim}i 11 2001 20.34 .\n`;
  const table: [string, string, boolean, string | null][] = [
    ['is its own after its start', 'x 0 20.35 .\n', true, job],
    ['is its own in the moment of its start', 'x 0 20.34 .\n', true, job],
    ['is its own when its process could not even note who it was', 'x 125 20.34 .\n', true, claim],
    ['is an earlier one before its start', 'x 0 20.33 .\n', false, job],
    ['is an earlier one without a claim', 'x 0 20.35 .\n', false, null],
    ['is an earlier one when the claim is torn', 'x 1 20.35 .\n', false, 's b-1 10 20'],
    ['is an earlier one when it says 0 of what never became the job', 'x 0 20.35 .\n', false, claim],
  ];
  it.each(table)('%s', (_what, text, isOwn, ident) => {
    const status = parseStatus(text);
    expect(status && isOwnStatus(status, parseIdent(ident))).toBe(isOwn);
  });
});
