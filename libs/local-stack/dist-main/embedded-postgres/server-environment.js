/** What the server's programs need from our environment, and nothing that would change what they do (`PGDATA` and the like). */
export function serverEnvironment() {
    const kept = ['PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR'];
    const inherited = kept.flatMap((name) => {
        const value = process.env[name];
        return value === undefined ? [] : [[name, value]];
    });
    return { ...Object.fromEntries(inherited), LC_ALL: 'C', TZ: 'UTC' };
}
//# sourceMappingURL=server-environment.js.map