import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { createSystemClock, type Clock, type Logger } from '@muster/runtime';
import { Agent } from './agent.js';
import { inheritedEnvironment, type AgentConfig } from './config.js';
import { AgentRuntime } from './connection/agent-runtime.js';
import { ControlPlaneLink } from './connection/control-plane-link.js';
import { DiskGuard } from './connection/disk-guard.js';
import { ExecutionBridge } from './connection/execution-bridge.js';
import { Greeter } from './connection/greeter.js';
import { SyncedUplink } from './connection/synced-uplink.js';
import { openExecutionManager } from './execution/open-execution-manager.js';
import type { ExecutionManager } from './execution/execution-types.js';
import type { AgentKey } from './identity/agent-key.js';
import { Identity } from './identity/identity.js';
import { GpuTool } from './inventory/gpu-tool.js';
import { GpuWatch } from './inventory/gpu-watch.js';
import { InventoryReader } from './inventory/inventory-reader.js';
import { runningPartOf } from './inventory/running-part.js';
import { MonitorServer } from './monitor/monitor-server.js';
import { LogShipper } from './shipping/log-shipper.js';
import { MetricShipper } from './shipping/metric-shipper.js';
import { ProgressShipper } from './shipping/progress-shipper.js';
import { readBootId } from './supervisor/process-identity.js';
import { AGENT_VERSION } from './version.js';

export interface AgentModuleOptions {
  readonly config: AgentConfig;
  readonly logger: Logger;
  readonly key: AgentKey;
  /** Absolute, made, and locked for this process. */
  readonly stateDir: string;
}

export const CONFIG = Symbol('AgentConfig');
export const LOGGER = Symbol('Logger');
export const KEY = Symbol('AgentKey');
export const CLOCK = Symbol('Clock');
export const STATE_DIR = Symbol('stateDir');
export const EXECUTIONS = Symbol('ExecutionManager');

const machine: Provider[] = [
  { provide: CLOCK, useFactory: () => createSystemClock() },
  { provide: Identity, useFactory: (stateDir: string) => Identity.open(stateDir), inject: [STATE_DIR] },
  {
    provide: EXECUTIONS,
    useFactory: ({ slots, url }: AgentConfig, logger: Logger, stateDir: string, clock: Clock) => {
      const jobEnvironment = { MUSTER_URL: url };
      return openExecutionManager({ stateDir, slots, logger, clock, environment: inheritedEnvironment(), jobEnvironment });
    },
    inject: [CONFIG, LOGGER, STATE_DIR, CLOCK],
  },
  {
    provide: InventoryReader,
    useFactory: (config: AgentConfig, stateDir: string, executions: ExecutionManager, clock: Clock) => {
      const gpus = new GpuWatch(new GpuTool({ environment: inheritedEnvironment() }), clock);
      const { capabilities } = executions;
      return new InventoryReader({
        ...config,
        stateDir,
        capabilities,
        clock,
        gpus,
        processes: runningPartOf(executions),
      });
    },
    inject: [CONFIG, STATE_DIR, EXECUTIONS, CLOCK],
  },
];

const connection: Provider[] = [
  {
    provide: ControlPlaneLink,
    useFactory: (config: AgentConfig, key: AgentKey, clock: Clock, logger: Logger) =>
      new ControlPlaneLink({ ...config, key: () => key.current(), clock, logger }),
    inject: [CONFIG, KEY, CLOCK, LOGGER],
  },
  { provide: SyncedUplink, useFactory: (link: ControlPlaneLink) => new SyncedUplink(link), inject: [ControlPlaneLink] },
  {
    provide: ExecutionBridge,
    useFactory: (
      executions: ExecutionManager,
      logs: LogShipper,
      metrics: MetricShipper,
      progress: ProgressShipper,
      clock: Clock,
      logger: Logger,
    ) => new ExecutionBridge({ executions, logs, metrics, progress, clock, logger }),
    inject: [EXECUTIONS, LogShipper, MetricShipper, ProgressShipper, CLOCK, LOGGER],
  },
  {
    provide: Greeter,
    useFactory: (identity: Identity, inventory: InventoryReader, { name, slots }: AgentConfig) =>
      new Greeter(identity, inventory, { name, slots, agentVersion: AGENT_VERSION, bootId: readBootId() || 'unknown' }),
    inject: [Identity, InventoryReader, CONFIG],
  },
  {
    provide: DiskGuard,
    useFactory: (inventory: InventoryReader, logger: Logger) => new DiskGuard(inventory, logger),
    inject: [InventoryReader, LOGGER],
  },
  {
    provide: AgentRuntime,
    useFactory: (
      link: ControlPlaneLink,
      uplink: SyncedUplink,
      bridge: ExecutionBridge,
      greeter: Greeter,
      disk: DiskGuard,
      executions: ExecutionManager,
      clock: Clock,
      logger: Logger,
    ) => new AgentRuntime({ link, uplink, bridge, greeter, disk, executions, clock, logger }),
    inject: [ControlPlaneLink, SyncedUplink, ExecutionBridge, Greeter, DiskGuard, EXECUTIONS, CLOCK, LOGGER],
  },
];

const shipping: Provider[] = [
  {
    provide: LogShipper,
    useFactory: (uplink: SyncedUplink, clock: Clock, logger: Logger) => new LogShipper({ uplink, clock, logger }),
    inject: [SyncedUplink, CLOCK, LOGGER],
  },
  {
    provide: MetricShipper,
    useFactory: (uplink: SyncedUplink, clock: Clock, logger: Logger) => new MetricShipper({ uplink, clock, logger }),
    inject: [SyncedUplink, CLOCK, LOGGER],
  },
  {
    provide: ProgressShipper,
    useFactory: (uplink: SyncedUplink, clock: Clock, logger: Logger) => new ProgressShipper(uplink, clock, logger),
    inject: [SyncedUplink, CLOCK, LOGGER],
  },
];

const parts: Provider[] = [
  {
    provide: MonitorServer,
    useFactory: ({ monitorPort }: AgentConfig, logger: Logger) => new MonitorServer(monitorPort, logger),
    inject: [CONFIG, LOGGER],
  },
  {
    provide: Agent,
    useFactory: (
      config: AgentConfig,
      stateDir: string,
      inventory: InventoryReader,
      runtime: AgentRuntime,
      bridge: ExecutionBridge,
      link: ControlPlaneLink,
      executions: ExecutionManager,
      logs: LogShipper,
      metrics: MetricShipper,
      progress: ProgressShipper,
      monitor: MonitorServer,
    ) =>
      new Agent({ config, stateDir, inventory, runtime, bridge, link, executions, logs, metrics, progress, monitor }),
    inject: [
      CONFIG,
      STATE_DIR,
      InventoryReader,
      AgentRuntime,
      ExecutionBridge,
      ControlPlaneLink,
      EXECUTIONS,
      LogShipper,
      MetricShipper,
      ProgressShipper,
      MonitorServer,
    ],
  },
];

/**
 * The parts of one agent and what each is made from. Starting and ending are ordered, so they are `Agent`'s: the hooks of
 * modules run side by side.
 */
@Module({})
export class AgentModule {
  static forRoot({ config, logger, stateDir, key }: AgentModuleOptions): DynamicModule {
    const given: Provider[] = [
      { provide: CONFIG, useValue: config },
      { provide: LOGGER, useValue: logger },
      { provide: KEY, useValue: key },
      { provide: STATE_DIR, useValue: stateDir },
    ];
    return { module: AgentModule, providers: [...given, ...machine, ...connection, ...shipping, ...parts] };
  }
}
