import path from 'node:path';
import { EXAMPLES, Workspace, start } from './run-example.js';

describe('the shell example', () => {
  it('appends ten metric points, tells its progress and writes its result', async () => {
    const workspace = await Workspace.create();
    try {
      const { code } = await start(['/bin/sh', path.join(EXAMPLES, 'hello.sh')], workspace.folder, workspace.variables)
        .ended;
      expect(code).toBe(0);
      const points = (await workspace.lines('metrics.jsonl')).map((line) => JSON.parse(line) as unknown);
      expect(points).toHaveLength(10);
      expect(points.at(-1)).toEqual({ step: 10, total: 55 });
      expect((await workspace.lines('progress')).at(-1)).toBe('1.0 step 10 of 10');
      expect(await workspace.json('result.json')).toEqual({ total: 55 });
    } finally {
      await workspace.remove();
    }
  });

  it('runs by hand and leaves no file', async () => {
    const workspace = await Workspace.create();
    try {
      const { code, stdout } = await start(['/bin/sh', path.join(EXAMPLES, 'hello.sh')], workspace.folder, {}).ended;
      expect({ code, last: stdout.trimEnd().split('\n').at(-1) }).toEqual({ code: 0, last: 'step 10, total 55' });
      expect(await workspace.files()).toEqual([]);
    } finally {
      await workspace.remove();
    }
  });
});
