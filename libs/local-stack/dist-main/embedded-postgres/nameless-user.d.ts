import { EmbeddedPostgresError } from './errors.js';
type Command = readonly [program: string, ...args: string[]];
/**
 * `initdb` insists on the name of the user it runs as, and the server does not. Where our uid has none, `initdb` runs in
 * a user namespace in which we appear as a user with a name; what it makes belongs to us. Not every system allows that.
 */
export declare function asNamedUser(program: string, args: readonly string[]): Command;
/** Pure: whether such a run failed for want of a namespace or of a name, and not for a reason of `initdb`'s own. */
export declare function isNameMissing(ending: string, output: string): boolean;
export declare function namelessUser(): EmbeddedPostgresError;
export {};
//# sourceMappingURL=nameless-user.d.ts.map