// Loaded into control plane and agent before their own code, by `--import`, and only where a suite says so: answers over a
// socket in BENCH_PROBE_FOLDER how late the event loop is, and records processor profiles. Until it is asked it does nothing.
import { unlinkSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

const RESOLUTION_MS = 5;
const folder = process.env.BENCH_PROBE_FOLDER;
let delay;
let utilizationBefore;
let session;

const commands = {
  begin() {
    delay?.disable();
    delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delay.enable();
    utilizationBefore = performance.eventLoopUtilization();
    return {};
  },
  /** The histogram holds the time between two ticks of a timer: what is above its interval was waited. */
  end() {
    delay.disable();
    const lateMs = (ns) => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    const { utilization } = performance.eventLoopUtilization(utilizationBefore);
    return {
      p50: lateMs(delay.percentile(50)),
      p99: lateMs(delay.percentile(99)),
      max: lateMs(delay.max),
      utilization,
    };
  },
  async profile() {
    session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 500 });
    await session.post('Profiler.start');
    return {};
  },
  async profiled({ file }) {
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    writeFileSync(file, JSON.stringify(profile));
    return { file };
  },
};

if (folder) {
  const path = join(folder, `${process.pid}.sock`);
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let text = '';
    socket.on('data', (piece) => (text += piece));
    socket.on('error', () => undefined);
    socket.on('end', async () => {
      const { command, ...rest } = JSON.parse(text);
      socket.end(JSON.stringify(await commands[command](rest)));
    });
    socket.unref();
  });
  server.on('error', () => undefined);
  server.listen(path).unref();
  process.once('exit', () => {
    try {
      unlinkSync(path);
    } catch {
      // Gone already.
    }
  });
}
