/** A no in the words of another system: its status is that system's own, not the one of our table. */
export class ForeignRefusal extends Error {
  constructor(
    readonly status: number,
    text: string,
    readonly retryAfterSeconds?: number,
  ) {
    super(text);
    this.name = 'ForeignRefusal';
  }
}
