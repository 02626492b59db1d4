/** The built programs that a stack starts. */
export interface StackPrograms {
    readonly controlPlane: string;
    readonly agent: string;
}
/** The repository's own programs have not been built. */
export declare class NotBuilt extends Error {
    readonly code = "notBuilt";
    constructor(missing: readonly string[]);
}
/** The programs as they lie in the repository, from this lib's folder. */
export declare function builtPrograms(): StackPrograms;
/** @throws NotBuilt naming what is missing */
export declare function requirePrograms(programs: StackPrograms): StackPrograms;
//# sourceMappingURL=programs.d.ts.map