/** Exit code of a program whose configuration, key or protocol version can never work (`EX_CONFIG`): do not restart it. */
export const EXIT_CODE_CONFIG = 78;

/** One variable that cannot be used as it is. */
export interface Complaint {
  readonly name: string;
  readonly expected: string;
  /** What is there instead. Never a secret. */
  readonly found: string;
}

/** The configuration cannot be used. Holds everything that is wrong with it, so that one look repairs it. */
export class ConfigError extends Error {
  readonly code = 'configuration';
  constructor(readonly complaints: readonly Complaint[]) {
    const lines = complaints.map(({ name, expected, found }) => `  ${name}: expected ${expected}, found ${found}`);
    super(
      `The configuration has ${complaints.length === 1 ? 'a mistake' : `${complaints.length} mistakes`}:\n${lines.join('\n')}`,
    );
    this.name = 'ConfigError';
  }
}
