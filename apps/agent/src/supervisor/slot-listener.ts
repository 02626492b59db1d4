/** What a supervisor says. All are hints: the attempt's directory is the truth. */
export interface SlotListener {
  /** The end of this execution is on disk. */
  ended(executionId: string): void;
  /** Its supervisor ran nothing of it: what was prepared for it had gone, or somebody else had claimed the directory. */
  refused(executionId: string): void;
  /** The supervisor died while it had this execution; how far it came stands in the directory. */
  supervisorLost(executionId: string): void;
  /** It waited for a supervisor past its last moment; none has heard of it or will. */
  tooLate(executionId: string): void;
}
