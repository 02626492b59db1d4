import { existsSync } from 'node:fs';
import { join } from 'node:path';
/** The repository's own programs have not been built. */
export class NotBuilt extends Error {
    constructor(missing) {
        super(`Not built yet: ${missing.join(', ')}. Run npm run build.`);
        this.code = 'notBuilt';
        this.name = 'NotBuilt';
    }
}
/** The programs as they lie in the repository, from this lib's folder. */
export function builtPrograms() {
    const apps = join(import.meta.dirname, '..', '..', '..', '..', 'apps');
    return {
        controlPlane: join(apps, 'control-plane', 'dist', 'bundle', 'main.mjs'),
        agent: join(apps, 'agent', 'dist', 'bundle', 'main.mjs'),
    };
}
/** @throws NotBuilt naming what is missing */
export function requirePrograms(programs) {
    const missing = Object.values(programs).filter((path) => !existsSync(path));
    if (missing.length > 0)
        throw new NotBuilt(missing);
    return programs;
}
//# sourceMappingURL=programs.js.map