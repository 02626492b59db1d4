import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** In the execution's directory: its end is settled, only its log is left. */
const FILE_NAME = 'settled';

/** On disk when it resolves. Marking twice changes nothing. */
export async function markSettled(directory: string): Promise<void> {
  await writeFile(join(directory, FILE_NAME), '', { mode: 0o600 });
}

export async function isMarkedSettled(directory: string): Promise<boolean> {
  return access(join(directory, FILE_NAME)).then(
    () => true,
    () => false,
  );
}
