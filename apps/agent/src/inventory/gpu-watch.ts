import type { GpuInfo, GpuSample } from '@muster/protocol';
import type { Clock } from '@muster/runtime';
import { BARE_GPU_QUERY, GPU_QUERY, PROCESS_QUERY, parseGpuProcesses, parseGpus } from './gpu-csv.js';
import type { GpuProcess, GpuReading } from './gpu-csv.js';
import type { GpuTool, ToolAnswer } from './gpu-tool.js';

/** `absent`: no tool, so no GPU that a job could be given. */
export type GpuToolState =
  { readonly kind: 'unasked' | 'absent' | 'working' } | { readonly kind: 'failing'; readonly detail: string };

export interface GpuLook {
  readonly gpus: readonly GpuSample[];
  /** Null where the driver does not tell who uses what. */
  readonly processes: readonly GpuProcess[] | null;
}

/** Each look starts one or two programs, so they are rarer than beats. */
const PACE_MS = 15_000;
/** A tool that fails is asked ever more rarely. */
const PACE_MAX_MS = 5 * 60_000;
/** What is older says nothing about now. */
const STALE_MS = 60_000;

/** The GPUs of this machine: which there are, and now and then how they are. Where there is none, nothing is ever started for samples. */
export class GpuWatch {
  private known: readonly GpuInfo[] = [];
  private newest: { readonly look: GpuLook; readonly atMs: number } | null = null;
  private looking: Promise<void> | null = null;
  private lookedAtMs = Number.NEGATIVE_INFINITY;
  private paceMs = PACE_MS;
  private areFieldsBare = false;
  private toolState: GpuToolState = { kind: 'unasked' };

  constructor(
    private readonly tool: Pick<GpuTool, 'ask'>,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
  ) {}

  get state(): GpuToolState {
    return this.toolState;
  }

  /** The GPUs that were seen last; a tool that fails takes none of them away. */
  get gpus(): readonly GpuInfo[] {
    return this.known;
  }

  /** Looks now. Never rejects. */
  async inventory(): Promise<readonly GpuInfo[]> {
    await this.look(false);
    return this.known;
  }

  /** The newest look that still says something; begins another when it is time. `withProcesses`: also who uses them. */
  latest(withProcesses: boolean): GpuLook | null {
    const nowMs = this.clock.monotonicMs();
    if (this.known.length > 0 && nowMs - this.lookedAtMs >= this.paceMs) void this.look(withProcesses);
    return this.newest && nowMs - this.newest.atMs <= STALE_MS ? this.newest.look : null;
  }

  private look(withProcesses: boolean): Promise<void> {
    this.looking ??= this.lookOnce(withProcesses).finally(() => {
      this.looking = null;
    });
    return this.looking;
  }

  private async lookOnce(withProcesses: boolean): Promise<void> {
    this.lookedAtMs = this.clock.monotonicMs();
    const readings = await this.read();
    if (readings === null) {
      this.paceMs = Math.min(this.paceMs * 2, PACE_MAX_MS);
      return;
    }
    this.known = readings.map(({ info }) => info);
    const processes = withProcesses && readings.length > 0 ? await this.readProcesses() : null;
    this.paceMs = PACE_MS;
    this.newest = { look: { gpus: readings.map(({ sample }) => sample), processes }, atMs: this.lookedAtMs };
  }

  /** Null when the tool failed; the state says how. */
  private async read(): Promise<readonly GpuReading[] | null> {
    const answer = await this.askForGpus();
    if (answer.kind === 'absent') {
      this.toolState = { kind: 'absent' };
      return [];
    }
    const readings = answer.kind === 'answered' ? parseGpus(answer.output) : null;
    const detail = answer.kind === 'failed' ? answer.detail : 'nvidia-smi printed something else than a table of GPUs.';
    this.toolState = readings === null ? { kind: 'failing', detail } : { kind: 'working' };
    return readings;
  }

  /** Older drivers refuse the whole question for one field they do not know. */
  private async askForGpus(): Promise<ToolAnswer> {
    if (this.areFieldsBare) return this.tool.ask(BARE_GPU_QUERY);
    const answer = await this.tool.ask(GPU_QUERY);
    if (answer.kind !== 'failed' || !/not a valid field/i.test(answer.detail)) return answer;
    this.areFieldsBare = true;
    return this.tool.ask(BARE_GPU_QUERY);
  }

  private async readProcesses(): Promise<readonly GpuProcess[] | null> {
    const answer = await this.tool.ask(PROCESS_QUERY);
    return answer.kind === 'answered' ? parseGpuProcesses(answer.output) : null;
  }
}
