/** What people call this machine's system and processor. */
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';

/** Null is what nobody tells. */
export interface SystemNames {
  /** Distribution and version ("Debian GNU/Linux 12"). */
  readonly system: string | null;
  /** Maker and model ("AMD EPYC"). */
  readonly processor: string | null;
}

/**
 * Linux keeps both in files. Elsewhere programs have to be asked, which a library knows by name: it takes more memory than
 * it is worth where it is not needed, so it is loaded only there.
 */
export async function readSystemNames(): Promise<SystemNames> {
  if (process.platform !== 'linux') return askPrograms();
  const text = (await readFile('/etc/os-release', 'utf8').catch(() => null)) ?? (await readUsrLib());
  return { system: parseOsRelease(text), processor: cpus()[0]?.model.trim() || null };
}

const readUsrLib = (): Promise<string> => readFile('/usr/lib/os-release', 'utf8').catch(() => '');

/** Name and version out of the text of os-release(5); null when it names nothing. */
export function parseOsRelease(text: string): string | null {
  const valueOf = (name: string): string => {
    const value = new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
    return value.replace(/^(["'])(.*)\1$/, '$2').replaceAll(/\\(.)/g, '$1');
  };
  return [valueOf('NAME'), valueOf('VERSION_ID')].filter((part) => part !== '').join(' ') || null;
}

async function askPrograms(): Promise<SystemNames> {
  const { cpu, osInfo } = await import('systeminformation');
  const [processor, system] = await Promise.all([cpu().catch(() => null), osInfo().catch(() => null)]);
  const joined = (parts: readonly (string | undefined)[]): string | null =>
    parts.filter((part) => part && part !== 'unknown').join(' ') || null;
  return {
    system: joined([system?.distro, system?.release]),
    processor: joined([processor?.manufacturer, processor?.brand]),
  };
}
