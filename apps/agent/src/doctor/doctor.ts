import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { AgentCheck, AgentDoctorView } from '@muster/protocol';
import { createSystemClock, loadConfig } from '@muster/runtime';
import { AGENT_SCHEMA, inheritedEnvironment, readConfig, type AgentConfig } from '../config.js';
import { probeContainment } from '../containment/probe.js';
import { toCapabilities } from '../execution/capabilities.js';
import { GpuTool } from '../inventory/gpu-tool.js';
import { GpuWatch } from '../inventory/gpu-watch.js';
import { problemWith } from '../inventory/inventory-reader.js';
import { readDisk } from '../inventory/machine.js';
import { countDrivenGpus } from '../inventory/pci-gpus.js';
import { SharedScan } from '../supervisor/process-tree.js';
import { findTools, isSignalNamed } from '../supervisor/start-probe.js';
import { AGENT_VERSION } from '../version.js';
import { checksOf } from './checks.js';

/**
 * Looks at this machine as an agent would find it, without being one: it connects to nobody, takes no state directory and
 * leaves nothing behind. Beside a running agent it disturbs nothing, but that one knows more: ask its status page.
 */
export async function examine(): Promise<AgentDoctorView> {
  const { config, settings } = readSettings();
  const { url, stateDir } = config ?? readPlaces() ?? { url: null, stateDir: null };
  const machine = stateDir === null ? [] : await examineMachine(resolve(stateDir));
  return {
    version: AGENT_VERSION,
    stateDir: stateDir === null ? null : resolve(stateDir),
    url,
    checks: [settings, ...machine],
  };
}

type Places = Pick<AgentConfig, 'url' | 'stateDir'>;

function readSettings(): { readonly config: Places | null; readonly settings: AgentCheck } {
  try {
    const config = readConfig();
    const detail = `The settings are complete; control plane ${config.url}.`;
    return { config, settings: { name: 'settings', result: 'ok', detail, advice: null } };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const advice = 'Correct the settings named here; an agent would not start with them.';
    return { config: null, settings: { name: 'settings', result: 'failed', detail, advice } };
  }
}

/** A machine can be looked at before it has a key. */
function readPlaces(): Places | null {
  try {
    return loadConfig({ url: AGENT_SCHEMA.url, stateDir: AGENT_SCHEMA.stateDir });
  } catch {
    return null;
  }
}

/** Probes on a folder of its own, so that the groups of an agent on `stateDir` are not touched. */
async function examineMachine(stateDir: string): Promise<readonly AgentCheck[]> {
  const environment = inheritedEnvironment();
  const watch = new GpuWatch(new GpuTool({ environment }), createSystemClock());
  const [directory, gpus, drivenGpus, held] = await Promise.all([
    standingDirectory(stateDir),
    watch.inventory(),
    countDrivenGpus(),
    probe(environment.PATH ?? ''),
  ]);
  return checksOf({
    stateDir,
    stateDirectoryProblem: await problemWith(directory),
    disk: await readDisk(directory),
    containment: held.containment,
    limits: held.limits,
    gpus,
    gpuTool: watch.state,
    drivenGpus,
    slotsQuarantined: 0,
    faults: held.problem === null ? [] : [{ code: 'runtime', detail: held.problem }],
  });
}

type Held = Pick<ReturnType<typeof toCapabilities>, 'containment' | 'limits'> & { readonly problem: string | null };

async function probe(path: string): Promise<Held> {
  const scratch = await mkdtemp(join(tmpdir(), 'muster-doctor-'));
  try {
    const tools = await findTools(path);
    const [found, signalKnown] = await Promise.all([
      probeContainment(scratch, tools, new SharedScan()),
      isSignalNamed(tools.shell),
    ]);
    for (const containment of Object.values(found.rungs)) containment.release();
    return { ...toCapabilities(found, found.report.default, signalKnown), problem: null };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { ...NOTHING_HELD, problem };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const NOTHING_HELD: Pick<Held, 'containment' | 'limits'> = {
  containment: { default: 'group', available: [], notes: [] },
  limits: { runSeconds: 'none', silenceSeconds: 'none', memoryMb: 'none', cpus: 'none', logBytes: 'none' },
};

/** The directory, or the nearest one above it that an agent would make it in. */
async function standingDirectory(directory: string): Promise<string> {
  const above = dirname(directory);
  if (above === directory || (await readDisk(directory)) !== null) return directory;
  return standingDirectory(above);
}
