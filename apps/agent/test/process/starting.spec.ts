/** Bad moments between the word to start and the start: what never ran is never taken for something that did. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AttemptDirectory, reservedStatus } from '../../src/supervisor/attempt-directory.js';
import { FileLane } from '../../src/supervisor/file-lane.js';
import { readUptimeSeconds } from '../../src/supervisor/process-identity.js';
import { SeatMaker } from '../../src/supervisor/seat-maker.js';
import { SlotPool, type SlotPoolOptions } from '../../src/supervisor/slot-pool.js';
import { aStateDir, eventually, readText, removeStateDir } from './manager-harness.js';

jest.setTimeout(120_000);

describe('a supervisor that is told to start', () => {
  let stateDir: string;
  let lane: FileLane;
  let pool: SlotPool;
  const heard: string[] = [];
  beforeEach(() => {
    heard.length = 0;
    lane = new FileLane();
    stateDir = aStateDir();
    mkdirSync(join(stateDir, 'attempts'));
  });
  afterEach(async () => {
    await pool.close();
    await lane.close();
    removeStateDir(stateDir);
  });

  async function open(options: Partial<SlotPoolOptions> = {}): Promise<void> {
    pool = new SlotPool({
      size: 1,
      shellPath: '/bin/sh',
      stateDir,
      attemptsDir: join(stateDir, 'attempts'),
      cgroupRoot: '',
      seats: null,
      listener: {
        ended: (id) => heard.push(`ended ${id}`),
        refused: (id) => heard.push(`refused ${id}`),
        supervisorLost: (id) => heard.push(`lost ${id}`),
        tooLate: (id) => heard.push(`late ${id}`),
      },
      clock: { monotonicMs: () => 0 },
      warn: () => undefined,
      ...options,
    });
    await pool.open();
  }

  async function prepared(name: string): Promise<AttemptDirectory> {
    const directory = new AttemptDirectory(join(stateDir, 'attempts', name));
    await directory.create(lane, '{}', [reservedStatus(directory), directory.written(Buffer.from('echo ran; exit 0'))]);
    return directory;
  }
  const start = (name: string, inCgroup = false): void =>
    pool.start(name, { inCgroup, notAfterMs: Number.POSITIVE_INFINITY });
  const saysOf = (name: string): Promise<string> =>
    eventually(`a supervisor tells of "${name}"`, () => heard.find((line) => line.endsWith(` ${name}`)) ?? null);

  it('starts nothing whose deadline is over by then, and lets it be ordered again', async () => {
    await open();
    const [late, timely] = [await prepared('late'), await prepared('timely')];
    writeFileSync(late.file('deadline'), `${Math.floor(readUptimeSeconds())} -\n`);
    writeFileSync(timely.file('deadline'), `${Math.ceil(readUptimeSeconds()) + 600} -\n`);
    start('late');
    expect(await saysOf('late')).toBe('refused late');
    expect([late.readIdent().supervisor, late.readGo(), readText(late.file('output'))]).toEqual([null, null, '']);
    start('timely');
    expect(await saysOf('timely')).toBe('ended timely');
    expect(readText(timely.file('output'))).toBe('ran\n');
  });

  it('does not take a claim that was cut off by a full disk for a success', async () => {
    const shellPath = join(stateDir, 'sh-on-a-full-disk');
    const cutsClaims = `printf() { case $1 in *'\\ni '*) command printf '%s\\n' "$2"; return 1 ;; esac; command printf "$@"; }`;
    writeFileSync(shellPath, `#!/bin/sh\n${cutsClaims}\n_script=$1; shift; . "$_script"\n`, { mode: 0o700 });
    await open({ shellPath });
    const directory = await prepared('half');
    start('half');
    expect(await saysOf('half')).toBe('ended half');
    expect([directory.readStatus()?.code, directory.has('noexec'), directory.readGo()]).toEqual([125, true, null]);
    expect(readText(directory.file('output'))).toBe('');
  });

  it('touches nothing when the process cannot enter its control group', async () => {
    await open({ cgroupRoot: join(stateDir, 'no-groups-here') });
    const directory = await prepared('outside');
    start('outside', true);
    expect(await saysOf('outside')).toBe('refused outside');
    expect([directory.readIdent().supervisor, directory.readGo(), directory.has('noexec')]).toEqual([
      null,
      null,
      false,
    ]);
  });

  it('serves who waits as soon as a seat is given back', async () => {
    const seats = new SeatMaker({
      readyDir: join(stateDir, 'ready'),
      spareDir: join(stateDir, 'spare'),
      spares: 1,
      lane,
      inCgroup: false,
      ahead: () => [],
      groupPathOf: () => null,
      emptied: () => Promise.resolve(),
      groupsLeft: () => Promise.resolve([]),
    });
    await seats.open(join(stateDir, 'attempts'));
    await open({ seats });
    const seat = await eventually('a start is prepared', () => pool.reserve());
    await prepared('waits');
    start('waits');
    pool.giveUp(seat);
    expect(await saysOf('waits')).toBe('ended waits');
  });
});
