import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './markdown.js';

describe('the drawing of the lifecycles', () => {
  it('shows the transition tables as they are', async () => {
    const draw = path.join(ROOT, 'tools/render-lifecycles.mjs');
    await expect(promisify(execFile)(process.execPath, [draw, '--check'])).resolves.toBeDefined();
  }, 60_000);
});
