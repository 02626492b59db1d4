import { createSystemClock } from '@muster/runtime';

export const startedMs = createSystemClock().monotonicMs();
