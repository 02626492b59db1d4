/**
 * The way down for a tree of processes, as a pure reducer: facts in, effects out, and the moment to ask again.
 *
 *     running ──stop──▶ asked ──grace over, force──▶ killing ──nobody left──▶ empty
 *        │                │                             ▲  └──60 s──▶ unkillable
 *        └──main exited───┴──▶ checking ──somebody left─┘
 *                                  └──nobody left──▶ empty
 *
 * A second stop changes nothing (grace never starts again); force goes straight to KILL. `empty` needs both: the end of
 * the main process is on disk, and a look found nobody. Where a look is no proof (group), two looks 200 ms apart are
 * needed once anything was asked or killed, and for a tree that an earlier agent left.
 */
import { TIMES } from '@muster/protocol';

export type LadderStep = 'running' | 'asked' | 'checking' | 'killing' | 'empty' | 'unkillable';

export interface LadderState {
  readonly step: LadderStep;
  /** From the rung: one look that finds nobody is enough. */
  readonly isProof: boolean;
  readonly hasMainExited: boolean;
  /** Whether anybody was asked to stop or killed, or nobody watched; then an unproving look has to be repeated. */
  readonly wasDisturbed: boolean;
  /** The stop signal reached somebody; until then it is sent again. */
  readonly wasHeard: boolean;
  readonly killAtMs: number;
  readonly killedAtMs: number;
  readonly emptySinceMs: number | null;
  /** Looks in a row that found somebody; spaces the next ones out. */
  readonly looks: number;
}

export type LadderEvent =
  | { readonly kind: 'stop'; readonly graceMs: number }
  | { readonly kind: 'force' }
  /** The signal of the last `signal` effect reached somebody. */
  | { readonly kind: 'heard' }
  | { readonly kind: 'mainExited' }
  | { readonly kind: 'looked'; readonly isEmpty: boolean }
  | { readonly kind: 'tick' };

/** `signal`: the job's stop signal, then SIGCONT or thaw if it stands still. `kill`: everybody. `look`: answer `looked`. */
export type LadderEffect = 'signal' | 'kill' | 'look';

export interface LadderMove {
  readonly state: LadderState;
  readonly effects: readonly LadderEffect[];
  /** Send `tick` then; null when only an event can move it. */
  readonly tickAtMs: number | null;
}

/** @param wasDisturbed an earlier agent may have asked or killed somebody already, or the tree was alone for a while */
export function startLadder(isProof: boolean, wasDisturbed = false): LadderState {
  return {
    step: 'running',
    isProof,
    hasMainExited: false,
    wasDisturbed,
    wasHeard: false,
    killAtMs: 0,
    killedAtMs: 0,
    emptySinceMs: null,
    looks: 0,
  };
}

const SIGNAL_AGAIN_MS = 20;
const SECOND_LOOK_MS = 200;

export function stepLadder(state: LadderState, event: LadderEvent, nowMs: number): LadderMove {
  switch (event.kind) {
    case 'stop':
      if (state.step !== 'running') return rest(state);
      return ask({ ...state, step: 'asked', wasDisturbed: true, killAtMs: nowMs + event.graceMs }, nowMs);
    case 'force':
      return state.step === 'running' || state.step === 'asked' ? kill(state, nowMs) : rest(state);
    case 'heard':
      return wait({ ...state, wasHeard: true }, nowMs);
    case 'mainExited':
      return onMainExited({ ...state, hasMainExited: true });
    case 'looked':
      return onLooked(state, event.isEmpty, nowMs);
    case 'tick':
      return onTick(state, nowMs);
  }
}

function onTick(state: LadderState, nowMs: number): LadderMove {
  if (state.step === 'asked') {
    if (nowMs >= state.killAtMs) return kill(state, nowMs);
    return state.wasHeard ? wait(state, nowMs) : ask(state, nowMs);
  }
  if (state.step === 'checking' || state.step === 'killing') return { state, effects: ['look'], tickAtMs: null };
  return rest(state);
}

function onMainExited(state: LadderState): LadderMove {
  if (state.step === 'empty' || state.step === 'unkillable') return rest(state);
  const step = state.step === 'killing' ? 'killing' : 'checking';
  return { state: { ...state, step }, effects: ['look'], tickAtMs: null };
}

function onLooked(state: LadderState, isEmpty: boolean, nowMs: number): LadderMove {
  if (state.step !== 'checking' && state.step !== 'killing') return rest(state);
  if (!isEmpty || !state.hasMainExited) {
    if (state.step === 'checking') return kill(state, nowMs);
    if (nowMs - state.killedAtMs >= TIMES.unkillableAfterMs) return rest({ ...state, step: 'unkillable' });
    const looks = state.looks + 1;
    return {
      state: { ...state, looks, emptySinceMs: null },
      effects: isEmpty ? [] : ['kill'],
      tickAtMs: nowMs + pauseMs(looks),
    };
  }
  if (state.isProof || !state.wasDisturbed) return rest({ ...state, step: 'empty' });
  const emptySinceMs = state.emptySinceMs ?? nowMs;
  if (nowMs - emptySinceMs >= SECOND_LOOK_MS) return rest({ ...state, step: 'empty', emptySinceMs });
  return { state: { ...state, emptySinceMs }, effects: [], tickAtMs: emptySinceMs + SECOND_LOOK_MS };
}

/** 1, 2, 4 … 200 ms: most trees are gone at once, the rest is not worth a busy loop. */
const pauseMs = (looks: number): number => Math.min(2 ** Math.min(looks - 1, 10), 200);

function ask(state: LadderState, nowMs: number): LadderMove {
  return { state, effects: ['signal'], tickAtMs: Math.min(nowMs + SIGNAL_AGAIN_MS, state.killAtMs) };
}

function kill(state: LadderState, nowMs: number): LadderMove {
  const killing: LadderState = { ...state, step: 'killing', wasDisturbed: true, killedAtMs: nowMs, looks: 0 };
  return { state: killing, effects: ['kill', 'look'], tickAtMs: null };
}

function wait(state: LadderState, nowMs: number): LadderMove {
  return { state, effects: [], tickAtMs: state.step === 'asked' ? Math.max(nowMs, state.killAtMs) : null };
}

function rest(state: LadderState): LadderMove {
  return { state, effects: [], tickAtMs: null };
}
