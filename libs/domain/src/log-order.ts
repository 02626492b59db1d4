/** Whether a piece of log is the next one. Offsets count raw bytes from 0, the same in the agent's file and in the store. */

export interface ChunkVerdict {
  /** True for exactly the next bytes; anything else is a repetition or came too early, and changes nothing. */
  readonly store: boolean;
  /** Where the sender goes on, whatever it sent. */
  readonly storedLength: number;
}

/** @param storedLength raw bytes stored so far, from the locked row */
export function onLogChunk(storedLength: number, chunk: { readonly offset: number; readonly rawLength: number }): ChunkVerdict {
  if (chunk.offset !== storedLength || chunk.rawLength <= 0) return { store: false, storedLength };
  return { store: true, storedLength: storedLength + chunk.rawLength };
}
