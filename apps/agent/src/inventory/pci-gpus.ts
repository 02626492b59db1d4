import { readFile, readdir, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';

const NVIDIA = '0x10de';
/** Class of display controllers: VGA, 3D and others. */
const DISPLAY = /^0x03/;

/**
 * How many NVIDIA GPUs are on the bus with NVIDIA's driver. One that is passed through to a virtual machine, or that nobody
 * drives, is no promise to jobs. 0 where the bus cannot be read.
 */
export async function countDrivenGpus(devices = '/sys/bus/pci/devices'): Promise<number> {
  const names = await readdir(devices).catch(() => []);
  const driven = await Promise.all(names.map((name) => isDriven(join(devices, name))));
  return driven.filter(Boolean).length;
}

async function isDriven(device: string): Promise<boolean> {
  const read = async (name: string): Promise<string> =>
    (await readFile(join(device, name), 'latin1').catch(() => '')).trim();
  if ((await read('vendor')) !== NVIDIA || !DISPLAY.test(await read('class'))) return false;
  return basename(await readlink(join(device, 'driver')).catch(() => '')) === 'nvidia';
}
