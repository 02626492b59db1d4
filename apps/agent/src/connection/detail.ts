/** Far below what the control plane takes of a detail, however many units it counts for a character. */
const DETAIL_CHARACTERS_MAX = 1_000;

/**
 * A sentence as the control plane takes it: of whole characters, without NUL, not too long. Names of files and words of
 * other programs may hold anything, and a detail that is refused would keep what it belongs to from ever being told.
 */
export function toDetail(text: string): string {
  const characters = [...text.replaceAll('\0', '\ufffd')].slice(0, DETAIL_CHARACTERS_MAX).join('');
  // Halves of characters become the replacement character.
  return Buffer.from(characters).toString('utf8');
}

export function messageOf(error: unknown): string {
  return toDetail(error instanceof Error ? error.message : String(error));
}
