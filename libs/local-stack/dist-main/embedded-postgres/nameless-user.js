import { EmbeddedPostgresError } from './errors.js';
import { findUser, readPasswd } from './server-user.js';
/**
 * `initdb` insists on the name of the user it runs as, and the server does not. Where our uid has none, `initdb` runs in
 * a user namespace in which we appear as a user with a name; what it makes belongs to us. Not every system allows that.
 */
export function asNamedUser(program, args) {
    const { uid, gid } = findUser(readPasswd());
    return ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`, '--', program, ...args];
}
/** Pure: whether such a run failed for want of a namespace or of a name, and not for a reason of `initdb`'s own. */
export function isNameMissing(ending, output) {
    return /spawn unshare/.test(ending) || /^unshare: /m.test(output) || /could not look up effective user/.test(output);
}
export function namelessUser() {
    return new EmbeddedPostgresError('namelessUser', `PostgreSQL makes its data only for a user with a name, and user id ${process.getuid?.()} is not listed in /etc/passwd. ` +
        'Start Muster as a listed user, or set DATABASE_URL to a PostgreSQL server.');
}
//# sourceMappingURL=nameless-user.js.map