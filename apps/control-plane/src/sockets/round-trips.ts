/** What this needs of an Engine.IO connection. */
interface Packets {
  on(event: 'packet' | 'packetCreate', listener: (packet: { readonly type: string }) => void): unknown;
}

/** Rounds that count: at one in 20 s, the last three minutes. */
const ROUNDS = 9;

/**
 * How long it takes to an agent and back, by our own clock: the transport's pings, which are sent anyhow. The median of the
 * last rounds, because one that stood behind a log chunk, or fell into a busy moment of ours, says nothing of the way.
 */
export class RoundTrips {
  private readonly rounds: number[] = [];
  private pingedMs: number | undefined;

  /** @param nowMs finer than the clock of the times that count, which may have hundredths of a second only */
  constructor(connection: Packets, nowMs: () => number = () => performance.now()) {
    connection.on('packetCreate', ({ type }) => {
      if (type === 'ping') this.pingedMs = nowMs();
    });
    connection.on('packet', ({ type }) => {
      if (type === 'pong' && this.pingedMs !== undefined) this.take(nowMs() - this.pingedMs);
    });
  }

  /** Milliseconds; null until a first ping was answered. */
  get medianMs(): number | null {
    const sorted = [...this.rounds].sort((left, right) => left - right);
    const middle = Math.floor(sorted.length / 2);
    const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
    return low === undefined || high === undefined ? null : Math.round(((low + high) / 2) * 1_000) / 1_000;
  }

  private take(roundMs: number): void {
    this.pingedMs = undefined;
    this.rounds.push(roundMs);
    if (this.rounds.length > ROUNDS) this.rounds.shift();
  }
}
