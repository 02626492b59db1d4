// Profiles of the services while something runs. Recording takes processor time itself: figures of a profiled run are not
// comparable with others.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { askProbe } from '../stack/probe.mjs';
import { costLines, topCosts } from './top-costs.mjs';

/** Runs `work`; with profiling asked for, records control plane and agent meanwhile and prints what they spent their time on. */
export async function profiled(bench, stack, what, work) {
  if (!bench.isProfiled) return work();
  const { controlPlane, agent } = stack.pids();
  const services = { 'control plane': controlPlane, agent };
  for (const pid of Object.values(services)) await askProbe(stack.probeFolder, pid, 'profile');
  const result = await work();
  for (const [name, pid] of Object.entries(services)) {
    const file = join(bench.attachments(), `${what} ${name}.cpuprofile`);
    await askProbe(stack.probeFolder, pid, 'profiled', { file });
    const lines = costLines(topCosts(JSON.parse(readFileSync(file, 'utf8'))));
    console.log([`Profile of the ${name}, ${what} (${file})`, ...lines, ''].join('\n'));
  }
  return result;
}
