/** Whether a server could listen there now. */
export declare function isPortFree(port: number, host?: string): Promise<boolean>;
/** The first free port from `first` on; any free one for 0, and when the next hundred are taken. */
export declare function nextFreePort(first: number, host?: string): Promise<number>;
/** A port that nobody listens on at this moment. Another program may take it before the caller does: be ready to ask again. */
export declare function anyFreePort(host?: string): Promise<number>;
//# sourceMappingURL=free-port.d.ts.map