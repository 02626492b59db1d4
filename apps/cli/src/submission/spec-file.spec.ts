import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSpecFile } from './spec-file.js';

const folder = mkdtempSync(join(tmpdir(), 'muster-spec-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(text: string): Promise<object[]> {
  const path = join(folder, 'job.yaml');
  writeFileSync(path, text);
  return readSpecFile(path);
}

describe('a spec file', () => {
  it.each([
    ['YAML', 'name: a\nrun:\n  command: [node, train.mjs]\n'],
    ['JSON', '{"name":"a","run":{"command":["node","train.mjs"]}}'],
  ])('may be %s', async (_name, text) => {
    await expect(read(text)).resolves.toEqual([{ name: 'a', run: { command: ['node', 'train.mjs'] } }]);
  });

  it.each([
    ['a list', '- name: a\n- name: b\n'],
    ['an object with jobs', 'jobs:\n  - name: a\n  - name: b\n'],
    ['several documents', 'name: a\n---\nname: b\n'],
  ])('may hold several jobs as %s', async (_name, text) => {
    await expect(read(text)).resolves.toEqual([{ name: 'a' }, { name: 'b' }]);
  });

  it.each([
    ['is neither JSON nor YAML', '{"name": '],
    ['is neither JSON nor YAML', 'name: a\nname: b\n'],
    ['holds no job', ''],
    ['holds no job', '[]'],
    ['is not an object', 'just text'],
    ['is not an object', '- name: a\n- 7\n'],
  ])('that %s is refused: %j', async (complaint, text) => {
    await expect(read(text)).rejects.toThrow(complaint);
  });

  it('with more jobs than one submit takes is refused with the number', async () => {
    await expect(read(JSON.stringify(Array.from({ length: 101 }, () => ({}))))).rejects.toThrow('holds 101 jobs');
  });

  it('that is not there is refused with a way to run a command of that name', async () => {
    await expect(readSpecFile(join(folder, 'make'))).rejects.toMatchObject({
      facts: { exitCode: 2, next: expect.stringContaining('submit -- ') },
    });
  });

  it('whose aliases would grow without bound is refused', async () => {
    const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 9; i++)
      lines.push(`a${i}: &a${i} [${Array.from({ length: 9 }, () => `*a${i - 1}`).join(',')}]`);
    await expect(read(lines.join('\n'))).rejects.toThrow('neither JSON nor YAML');
  });
});
