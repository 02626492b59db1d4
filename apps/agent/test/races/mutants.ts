/** Shells that are nearly right. Each is one slip that a review could miss; the races must notice every one. */
import { AgentRuntime } from '../../src/connection/agent-runtime.js';
import type { AgentRuntimeOptions } from '../../src/connection/agent-runtime.js';
import type { Happening } from '../../src/connection/execution-bridge.js';
import type { ExecutionEvents, ExecutionManager } from '../../src/execution/execution-types.js';
import type { Saboteur } from './race.js';
import type { Link } from './racing-link.js';
import type { Track } from './track.js';

type Bridge = AgentRuntimeOptions['bridge'];
type Listener<E extends keyof ExecutionEvents> = ExecutionEvents[E];

/** Everything of the link, with another way of asking. */
function asking(link: Link, request: Link['request']): Link {
  return {
    start: (listener) => link.start(listener),
    stop: () => link.stop(),
    reconnect: (reason) => link.reconnect(reason),
    confirm: () => link.confirm(),
    request,
  };
}

/** Everything of the bridge, with another way of carrying out an effect. */
function carryingOut(bridge: Bridge, carryOut: Bridge['carryOut']): Bridge {
  return {
    recover: () => bridge.recover(),
    listen: (tell) => bridge.listen(tell),
    catchUp: () => bridge.catchUp(),
    carryOut,
  };
}

/** The first end of a process is never told. */
function losesAnEnd(processes: ExecutionManager): ExecutionManager {
  const on = processes.on.bind(processes);
  let isLost = false;
  processes.on = <E extends keyof ExecutionEvents>(event: E, listener: Listener<E>): void => {
    if (event !== 'ended') return on(event, listener);
    on('ended', (view) => {
      if (isLost) return (listener as Listener<'ended'>)(view);
      isLost = true;
    });
  };
  return processes;
}

/** Answers reach the wrong question: a start is taken for granted because another one was. */
function mixesAnswers(link: Link): Link {
  let grant: Promise<unknown> | undefined;
  const request: Link['request'] = (event, body, timeoutMs) => {
    if (event === 'attempt:start' && grant !== undefined) return grant as ReturnType<typeof request<typeof event>>;
    const asked = link.request(event, body, timeoutMs);
    if (event === 'attempt:start')
      asked.then((answer) => (grant = 'ok' in answer ? Promise.resolve(answer) : grant)).catch(() => undefined);
    return asked;
  };
  return asking(link, request);
}

/** The directory goes as soon as the end is settled, whatever is left of the log. */
function forgetsTheLog(bridge: Bridge): Bridge {
  return carryingOut(bridge, (effect) =>
    bridge.carryOut(effect.type === 'settle' ? { type: 'forget', executionId: effect.executionId } : effect),
  );
}

/** Between an event and its decision others are decided, and are forgotten: the state is the one of before. */
class DecidesLate extends AgentRuntime {
  constructor(
    options: AgentRuntimeOptions,
    private readonly track: Track,
  ) {
    super(options);
  }

  override feed(happening: Happening): void {
    const before = this.state;
    void this.track.step(`${happening.type} is decided`).then(() => {
      if (this.state !== null && before !== null) Reflect.set(this, 'current', before);
      super.feed(happening);
    });
  }
}

/** Tells the control plane of an end twice, whether or not it was heard. */
class TellsAgain extends AgentRuntime {
  constructor(options: AgentRuntimeOptions) {
    super({
      ...options,
      link: asking(options.link, async (event, body, timeoutMs) => {
        const answer = await options.link.request(event, body, timeoutMs);
        if (event === 'attempt:end') void options.link.request(event, body, timeoutMs).catch(() => undefined);
        return answer;
      }),
    });
  }
}

/** Goes on listening after its end: what processes say is still carried to the control plane. */
class NeverStops extends AgentRuntime {
  override async stop(): Promise<void> {
    await Promise.resolve();
  }
}

export const MUTANTS: Readonly<Record<string, Saboteur>> = {
  'loses the end of a process': { processes: losesAnEnd },
  'takes the answer to another question': { link: mixesAnswers },
  'forgets a log that is not stored': { bridge: forgetsTheLog },
  'decides from a state that is out of date': { runtime: (options, track) => new DecidesLate(options, track) },
  'tells an end that was heard': { runtime: (options) => new TellsAgain(options) },
  'speaks after its end': { runtime: (options) => new NeverStops(options) },
};
