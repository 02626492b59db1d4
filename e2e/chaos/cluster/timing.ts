/** W of the control planes of a chaos run, the least that Muster takes. */
export const WORKER_TIMEOUT_SECONDS = 3;
