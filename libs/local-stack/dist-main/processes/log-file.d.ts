/** A log larger than this is set aside at the next start; one earlier log is kept. */
export declare const LOG_FILE_BYTES_MAX: number;
/** Opens a log for appending and returns its descriptor, to be given to a child. The caller closes it. */
export declare function openLogFile(path: string): number;
/** Bytes in the file, or `undefined` when there is none. Taken before a start, it tells `readTail` what is new. */
export declare function sizeOf(path: string): number | undefined;
/** The last `lines` lines written after byte `from`, for showing why something failed. Empty when there is no file. */
export declare function readTail(path: string, options?: {
    from?: number;
    lines?: number;
}): string;
//# sourceMappingURL=log-file.d.ts.map