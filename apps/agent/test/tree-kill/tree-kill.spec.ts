import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainmentRung } from '@muster/protocol';
import { DriverProgram } from '../process/driver-process.js';
import { canContain, machineHas } from '../process/machine.js';
import { FATES, type Fate, type FateName } from './fates.js';
import { pythonProgram } from './marked-folder.js';
import { IN_PYTHON, IN_SHELL, RESIDUE, type Shape } from './shapes.js';

jest.setTimeout(180_000);

const RUNGS: readonly ContainmentRung[] = ['cgroup', 'namespace', 'group'];
const FATE_NAMES = Object.keys(FATES) as FateName[];
const hasPython = machineHas('python3', pythonProgram() !== null);
const shapes: readonly Shape[] = hasPython ? [...IN_SHELL, ...IN_PYTHON] : IN_SHELL;

describe.each(RUNGS)('held by rung %s, a job', (rung) => {
  const isHere = machineHas(`containment "${rung}"`, canContain(rung));
  const itHere = isHere ? it : it.skip;
  const itWithPython = isHere && hasPython ? it : it.skip;
  let program: DriverProgram;
  beforeAll(async () => {
    program = await DriverProgram.build();
  });
  afterAll(() => program.remove());

  describe.each(FATE_NAMES)('that %s', (name) => {
    let fate: Fate;
    beforeAll(async () => {
      if (isHere) fate = await FATES[name]({ rung, shapes, program });
    });

    const leavesOnlyResidue = (shape: Shape): void => {
      const residue = rung === 'group' ? RESIDUE.filter((one) => one === shape) : [];
      expect(fate.survivors.filter((survivor) => survivor === shape)).toEqual(residue);
      expect(fate.ends.get(shape)).toMatchObject({ containment: rung });
    };
    itHere.each(IN_SHELL)('leaves nobody behind but the documented residue, though it %s', leavesOnlyResidue);
    itWithPython.each(IN_PYTHON)('leaves nobody behind, though as a program it %s', leavesOnlyResidue);

    itHere('gives its slot back', () => {
      expect(fate.slots).toEqual({ total: shapes.length, free: shapes.length, quarantined: 0 });
    });
  });
});

describe('what the weakest rung leaves behind', () => {
  it('is said to users, all of it', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/agent.md'), 'utf8');
    const named = [...page.matchAll(/`corpus\/([a-z-]+)\.sh`/g)].map((match) => match[1]);
    expect(named).toEqual(RESIDUE);
  });
});
