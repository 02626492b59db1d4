/** What went over the network and to and from the disks since boot, as Linux counts it. Null where nobody counts. */
import { readFile, readdir } from 'node:fs/promises';

export interface Traffic {
  readonly networkReceivedBytes: number | null;
  readonly networkSentBytes: number | null;
  readonly diskReadBytes: number | null;
  readonly diskWrittenBytes: number | null;
}

export interface TrafficRate {
  readonly networkReceivedBytesPerSecond: number | null;
  readonly networkSentBytesPerSecond: number | null;
  readonly diskReadBytesPerSecond: number | null;
  readonly diskWrittenBytesPerSecond: number | null;
}

/** In `/proc/diskstats`, whatever the disk's own. */
const SECTOR_BYTES = 512;
/** What goes over these goes over another interface too, or stays on this machine. */
const INNER_INTERFACE = /^(lo|veth|docker|br-|virbr|cni|flannel|cali|tun|tap|wg|dummy|ifb)/;
/** The same for disks: memory, files, and what is made of other disks. */
const INNER_DISK = /^(loop|ram|zram|dm-|md|sr|fd)/;

export async function readTraffic(): Promise<Traffic> {
  const text = (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '');
  const [interfaces, disks, whole] = await Promise.all([
    text('/proc/net/dev'),
    text('/proc/diskstats'),
    readdir('/sys/block').catch(() => []),
  ]);
  return { ...parseInterfaces(interfaces), ...parseDisks(disks, new Set(whole)) };
}

/** `/proc/net/dev`: after the name, the first number is bytes received, the ninth bytes sent. */
export function parseInterfaces(text: string): Pick<Traffic, 'networkReceivedBytes' | 'networkSentBytes'> {
  const found = [...text.matchAll(/^\s*([^\s:]+):\s*(\d+)(?:\s+\d+){7}\s+(\d+)/gm)]
    .filter(([, name = '']) => !INNER_INTERFACE.test(name))
    .map(([, , received, sent]) => [Number(received), Number(sent)] as const);
  return { networkReceivedBytes: sumOf(found, 0), networkSentBytes: sumOf(found, 1) };
}

/** `/proc/diskstats`: after the name, the third number is sectors read, the seventh sectors written. Partitions count with their disk. */
export function parseDisks(
  text: string,
  wholeDisks: ReadonlySet<string>,
): Pick<Traffic, 'diskReadBytes' | 'diskWrittenBytes'> {
  const found = [...text.matchAll(/^\s*\d+\s+\d+\s+(\S+)\s+\d+\s+\d+\s+(\d+)\s+\d+\s+\d+\s+\d+\s+(\d+)/gm)]
    .filter(([, name = '']) => wholeDisks.has(name) && !INNER_DISK.test(name))
    .map(([, , read, written]) => [Number(read) * SECTOR_BYTES, Number(written) * SECTOR_BYTES] as const);
  return { diskReadBytes: sumOf(found, 0), diskWrittenBytes: sumOf(found, 1) };
}

const sumOf = (pairs: readonly (readonly [number, number])[], at: 0 | 1): number | null =>
  pairs.length === 0 ? null : pairs.reduce((sum, pair) => sum + pair[at], 0);

/** A counter that went back was reset, by a driver or with its device: nobody knows what went by. */
export function rateOf(before: Traffic, now: Traffic, seconds: number): TrafficRate {
  const rate = (name: keyof Traffic): number | null => {
    const [from, to] = [before[name], now[name]];
    if (from === null || to === null || to < from || seconds <= 0) return null;
    return Math.round((to - from) / seconds);
  };
  return {
    networkReceivedBytesPerSecond: rate('networkReceivedBytes'),
    networkSentBytesPerSecond: rate('networkSentBytes'),
    diskReadBytesPerSecond: rate('diskReadBytes'),
    diskWrittenBytesPerSecond: rate('diskWrittenBytes'),
  };
}
