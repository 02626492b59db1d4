/** Something that must not be. */
export interface Finding {
  /** Null when it is about no job in particular. */
  readonly jobId: string | null;
  readonly sentence: string;
}
