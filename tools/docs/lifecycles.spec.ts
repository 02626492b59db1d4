import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { renderLifecycles } from './lifecycles.js';
import { ROOT } from './markdown.js';

const PAGE = path.join(ROOT, 'docs/lifecycles.md');

describe('the drawing of the lifecycles', () => {
  it('shows the transition tables as they are (UPDATE_DOCS=1 draws them again)', () => {
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(PAGE, renderLifecycles());
    expect(existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '').toBe(renderLifecycles());
  });

  it('gives every table a drawing with a beginning', () => {
    const drawings = renderLifecycles().match(/stateDiagram-v2\n {2}\[\*\] --> \w+\n/g);
    expect(drawings).toHaveLength(3);
  });
});
