/** A message does not have the agreed shape; nothing of it was stored. Sending it again unchanged will not help. */
export class InvalidMessage extends Error {
  readonly code = 'invalidMessage';
  constructor(
    /** Where in the message, as a path: `executions[3].epoch`. */
    readonly at: string,
    detail: string,
  ) {
    super(at === '' ? detail : `${at}: ${detail}`);
    this.name = 'InvalidMessage';
  }
}
