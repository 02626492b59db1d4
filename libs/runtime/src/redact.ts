const MASK = '[redacted]';

/** A JSON member whose name ends like a secret's and whose value is a text. `keyPrefix` and `keyId` stay readable. */
const SECRET_MEMBER =
  /"([\w.-]*(?:key|token|secret|password|passwd|authorization|cookie|credentials?))":"((?:[^"\\]|\\.)*)"/gi;

/** Our own keys, wherever they stand. What follows the role's prefix is the secret. */
const MUSTER_KEY = /\b(mst_[a-z]{3}_|wak_)[A-Za-z0-9_-]{4,}/g;

/** `user:password@` in an address. */
const URL_CREDENTIALS = /(:\/\/[^:@/\s"]*):[^@/\s"]+@/g;

/** Masks our keys and credentials in addresses, in any text: for messages that reach a person or a file. */
export function redactText(text: string): string {
  return text.replace(MUSTER_KEY, `$1${MASK}`).replace(URL_CREDENTIALS, `$1:${MASK}@`);
}

/** As `redactText`, and masks members of a JSON line that are named like secrets. */
export function redactLine(line: string): string {
  return redactText(line.replace(SECRET_MEMBER, `"$1":"${MASK}"`));
}
