import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { probeContainment } from '../containment/probe.js';
import { installNewSession } from '../supervisor/new-session.js';
import { SharedScan } from '../supervisor/process-tree.js';
import { findTools, isSignalNamed } from '../supervisor/start-probe.js';
import { ProcessExecutionManager } from './execution-manager.js';
import type { ExecutionManager, ExecutionManagerOptions } from './execution-types.js';

/**
 * Probes the machine, starts one supervisor per slot while this process is small, and answers for everything below
 * `stateDir`. Rejects with a sentence when the machine lacks what supervision needs or the asked-for rung.
 */
export async function openExecutionManager(options: ExecutionManagerOptions): Promise<ExecutionManager> {
  const attemptsDir = join(options.stateDir, 'attempts');
  await mkdir(attemptsDir, { recursive: true, mode: 0o700 });
  const scan = new SharedScan();
  const found = await findTools(options.environment.PATH ?? '');
  const tools = { ...found, newSession: await installNewSession(options.stateDir, found) };
  const [probe, signalKnown] = await Promise.all([
    probeContainment(options.stateDir, tools, scan),
    isSignalNamed(tools.shell),
  ]);
  const rung = options.containment ?? probe.report.default;
  if (!probe.rungs[rung]) {
    throw new Error(
      `Containment "${rung}" was asked for, but this machine cannot give it: ${probe.report.notes.join('; ')}.`,
    );
  }
  const manager = new ProcessExecutionManager(options, attemptsDir, tools, probe, rung, signalKnown);
  await manager.open();
  return manager;
}
