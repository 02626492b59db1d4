import { closeSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
/** A log larger than this is set aside at the next start; one earlier log is kept. */
export const LOG_FILE_BYTES_MAX = 10 * 1024 * 1024;
/** Opens a log for appending and returns its descriptor, to be given to a child. The caller closes it. */
export function openLogFile(path) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if ((sizeOf(path) ?? 0) > LOG_FILE_BYTES_MAX)
        renameSync(path, `${path}.1`);
    return openSync(path, 'a', 0o600);
}
/** Bytes in the file, or `undefined` when there is none. Taken before a start, it tells `readTail` what is new. */
export function sizeOf(path) {
    return statSync(path, { throwIfNoEntry: false })?.size;
}
/** The last `lines` lines written after byte `from`, for showing why something failed. Empty when there is no file. */
export function readTail(path, options = {}) {
    const { from = 0, lines = 20 } = options;
    const size = sizeOf(path) ?? 0;
    const start = Math.max(from, size - 64 * 1024);
    if (size <= start)
        return '';
    const file = openSync(path, 'r');
    try {
        const buffer = Buffer.alloc(size - start);
        const length = readSync(file, buffer, 0, buffer.length, start);
        return buffer.toString('utf8', 0, length).trimEnd().split('\n').slice(-lines).join('\n');
    }
    finally {
        closeSync(file);
    }
}
//# sourceMappingURL=log-file.js.map