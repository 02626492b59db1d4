import { PROTOCOL_VERSION_TEXT } from '@muster/protocol';
import type { AgentStatusView } from '@muster/protocol';
import type { ExitEffect, AgentRuntime } from './connection/agent-runtime.js';
import type { ControlPlaneLink } from './connection/control-plane-link.js';
import type { ExecutionBridge } from './connection/execution-bridge.js';
import type { AgentConfig } from './config.js';
import type { ExecutionManager } from './execution/execution-types.js';
import { checksOf } from './doctor/checks.js';
import type { InventoryReader } from './inventory/inventory-reader.js';
import type { MonitorServer } from './monitor/monitor-server.js';
import type { LogShipper } from './shipping/log-shipper.js';
import type { MetricShipper } from './shipping/metric-shipper.js';
import type { ProgressShipper } from './shipping/progress-shipper.js';
import { AGENT_VERSION } from './version.js';

export interface AgentParts {
  readonly config: AgentConfig;
  /** Absolute. */
  readonly stateDir: string;
  readonly inventory: InventoryReader;
  readonly runtime: AgentRuntime;
  readonly bridge: ExecutionBridge;
  readonly link: ControlPlaneLink;
  readonly executions: ExecutionManager;
  readonly logs: LogShipper;
  readonly metrics: MetricShipper;
  readonly progress: ProgressShipper;
  readonly monitor: MonitorServer;
}

/** From SIGTERM to the end when jobs live on: well below 10 s. */
const GOODBYE_MS = 1_500;
const FLUSH_MS = 5_000;
/** With every process gone, ends get this long to be acknowledged; later the next start reports them. */
const REPORT_MS = 8_000;
const LOOK_MS = 50;

/** The whole agent: what starts it, what ends it, in which order. */
export class Agent {
  constructor(private readonly parts: AgentParts) {}

  /** Resolves when the agent shall end: it was asked to, or the control plane will not have it. */
  get exit(): Promise<ExitEffect> {
    return this.parts.runtime.exit;
  }

  /** Takes up what an earlier start left, connects, and shows its status. */
  async start(): Promise<void> {
    await this.parts.runtime.start();
    await this.parts.monitor.start(() => this.status());
  }

  /** No new work; what was printed so far is sent; processes live on for the next start. At most 10 s. */
  async detach(): Promise<void> {
    this.parts.runtime.feed({ type: 'stopAsked', keepJobs: true });
    await Promise.race([this.exit, wait(GOODBYE_MS)]);
    if (this.parts.link.status.state === 'connected') await this.parts.logs.flush(FLUSH_MS);
    await this.close();
  }

  /**
   * No new work; every process is stopped by its ladder and reported as a planned stop. Resolves when all is reported, or
   * when nothing is left to stop and nobody takes the reports.
   */
  async stopJobs(): Promise<void> {
    const { bridge, runtime } = this.parts;
    runtime.feed({ type: 'stopAsked', keepJobs: false });
    let isOver = false;
    const over = this.exit.then(() => {
      isOver = true;
    });
    while (!isOver && bridge.liveCount > 0) await Promise.race([over, wait(LOOK_MS)]);
    await Promise.race([over, wait(REPORT_MS)]);
    await this.close();
  }

  /** From now on no job gets more grace than this. */
  limitGrace(graceSeconds: number): void {
    const { bridge } = this.parts;
    bridge.graceLimitSeconds = Math.min(bridge.graceLimitSeconds, graceSeconds);
  }

  /** Skips the grace of everything that is being stopped. */
  async hurry(): Promise<void> {
    await this.parts.bridge.hurry();
  }

  /** Lets go of everything, in this order; nothing that runs is touched. May be called twice. */
  async close(): Promise<void> {
    const { monitor, runtime, bridge, logs, metrics, progress, executions } = this.parts;
    await monitor.stop();
    await runtime.stop();
    await Promise.race([bridge.whenIdle(), wait(GOODBYE_MS)]);
    await Promise.all([logs.stop(), metrics.stop(), progress.stop()]);
    await executions.close();
  }

  /** What is known already; nothing is looked at for it. */
  status(): AgentStatusView {
    const { config, stateDir, runtime, link, executions, logs, inventory } = this.parts;
    const { state } = runtime;
    const { faults, sample, inventory: machine } = inventory.seen;
    return {
      program: 'muster-agent',
      pid: process.pid,
      name: config.name,
      version: AGENT_VERSION,
      protocolVersion: PROTOCOL_VERSION_TEXT,
      workerId: state?.workerId ?? null,
      url: config.url,
      stateDir,
      status: state?.link === 'synced' ? 'online' : 'offline',
      link: link.status,
      lastBeatAt: runtime.beatAt,
      mode: state?.mode ?? 'starting',
      slots: executions.slots(),
      inventory: machine,
      containment: executions.capabilities.containment,
      sample,
      faults,
      checks: this.checks(),
      objection: state?.objection ?? null,
      executions: [...(state?.executions.values() ?? [])].map(({ ref, jobId, spec, phase }) => ({
        attemptId: ref.attemptId,
        jobId,
        name: spec.name,
        phase,
      })),
      logBytesInFlight: logs.inFlightBytes,
    };
  }

  private checks(): AgentStatusView['checks'] {
    const { stateDir, executions, inventory } = this.parts;
    const { disk, faults, inventory: machine, gpuTool, drivenGpus } = inventory.seen;
    return checksOf({
      stateDir,
      stateDirectoryProblem: faults.find(({ code }) => code === 'stateDirectory')?.detail ?? null,
      disk,
      ...executions.capabilities,
      gpus: machine?.gpus ?? [],
      gpuTool,
      drivenGpus,
      slotsQuarantined: executions.slots().quarantined,
      faults,
    });
  }
}

function wait(durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, durationMs).unref();
  });
}
