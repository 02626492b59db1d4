import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemClock } from '@muster/runtime';
import { eventually } from '@muster/testing';
import { SlotPool } from '../../src/supervisor/slot-pool.js';

describe('a runtime that starts nothing', () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'muster-runtime-'));
  afterAll(() => rmSync(stateDir, { recursive: true, force: true }));
  const poolOf = (shellPath: string): SlotPool =>
    new SlotPool({
      size: 2,
      shellPath,
      stateDir,
      attemptsDir: stateDir,
      cgroupRoot: '',
      seats: null,
      listener: { ended() {}, refused() {}, supervisorLost() {}, tooLate() {} },
      clock: createSystemClock(),
      warn: () => undefined,
    });

  it('is told once its supervisors die again and again', async () => {
    const pool = poolOf('/bin/false');
    await pool.open();
    try {
      expect(pool.problem).toBeNull();
      const problem = await eventually('the problem is told', () => pool.problem);
      expect(problem).toMatch(/^[12] of 2 slots have no supervisor/);
    } finally {
      await pool.close();
    }
    expect(pool.problem).toBeNull();
  }, 60_000);

  it('is none where they live', async () => {
    const pool = poolOf('/bin/sh');
    await pool.open();
    expect(pool.problem).toBeNull();
    await pool.close();
  }, 60_000);
});
