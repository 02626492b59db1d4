import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const page = readFileSync(resolve(import.meta.dirname, '../../../docs/upgrading.md'), 'utf8');
const unit = /```ini\n([^]*?)```/.exec(page)?.[1] ?? '';

/** Settings of a section, by name. */
function settings(section: string): Record<string, string> {
  const [, body = ''] = new RegExp(`^\\[${section}\\]\\n([^[]*)`, 'm').exec(unit) ?? [];
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

describe('the service that the page on upgrading describes', () => {
  it('leaves jobs alone when it is restarted, and gives the agent control groups of its own', () => {
    expect(settings('Service')).toMatchObject({ KillMode: 'process', Delegate: 'yes' });
    // The agent takes at most 10 s to end.
    expect(Number(settings('Service')['TimeoutStopSec'])).toBeGreaterThan(10);
  });

  it('does not start an agent again that can never work', () => {
    expect(settings('Service')).toMatchObject({ Restart: 'on-failure', RestartPreventExitStatus: '78' });
  });

  it('can be enabled, and starts when there is a network', () => {
    expect(settings('Install')).toEqual({ WantedBy: 'multi-user.target' });
    expect(settings('Unit')).toMatchObject({ After: 'network-online.target', Wants: 'network-online.target' });
  });

  if (spawnSync('systemd-analyze', ['--version']).status === 0) {
    it('is a unit to systemd itself', () => {
      const folder = mkdtempSync(join(tmpdir(), 'muster-unit-'));
      try {
        const path = join(folder, 'muster-agent.service');
        // Its user and its program are those of the machine that it is installed on.
        writeFileSync(path, unit.replace('User=muster\n', '').replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
        const { stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
        // It reads the units of the machine too, and may find fault with those.
        expect(stderr.split('\n').filter((line) => line.includes('muster-agent.service'))).toEqual([]);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
