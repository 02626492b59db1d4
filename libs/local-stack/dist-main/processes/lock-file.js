import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { identityOf, isStillAlive } from './process-identity.js';
/**
 * Takes a lock that ends with its process, however that dies, and without the operating system's help.
 *
 * A lock is a row of numbered files beside `path`. The highest number rules: it is held while the process named in it
 * lives. Whoever finds it free makes the next number with `link`, which succeeds for exactly one. The highest file is
 * never removed, so nobody can take a number that was already used.
 */
export async function tryLock(path, note = {}) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    for (;;) {
        const highest = (await numbersOf(path)).at(-1) ?? 0;
        const holder = highest > 0 ? await readHolder(fileOf(path, highest)) : undefined;
        if (holder && isStillAlive(holder))
            return { heldBy: holder };
        const number = highest + 1;
        if (!(await create(path, number, note)))
            continue;
        const numbers = await numbersOf(path);
        if (numbers.at(-1) !== number) {
            // Somebody slower than a whole lock's life: the number was free because it is long past.
            await remove(fileOf(path, number));
            continue;
        }
        for (const past of numbers.slice(0, -1))
            await remove(fileOf(path, past));
        return { lock: held(path, number) };
    }
}
/** As `tryLock`, but waits for the holder to let go or die. Rejects with the signal's reason when it aborts first. */
export async function waitForLock(path, signal) {
    for (;;) {
        signal?.throwIfAborted();
        const outcome = await tryLock(path);
        if ('lock' in outcome)
            return outcome.lock;
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}
/** Who holds the lock at the moment, without taking it. */
export async function lockHolder(path) {
    const highest = (await numbersOf(path)).at(-1);
    const holder = highest ? await readHolder(fileOf(path, highest)) : undefined;
    return holder && isStillAlive(holder) ? holder : undefined;
}
function held(path, number) {
    let isReleased = false;
    return {
        describe: async (note) => {
            if (!isReleased)
                await replace(fileOf(path, number), contentFor(note));
        },
        release: async () => {
            if (isReleased)
                return;
            isReleased = true;
            await replace(fileOf(path, number), 'released\n');
        },
    };
}
function fileOf(path, number) {
    return `${path}.${number}`;
}
async function numbersOf(path) {
    const prefix = `${basename(path)}.`;
    const names = await readdir(dirname(path));
    const numbers = names
        .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
        .map((name) => Number(name.slice(prefix.length)));
    return numbers.sort((left, right) => left - right);
}
async function create(path, number, note) {
    const draft = join(dirname(path), `.${basename(path)}-${randomUUID()}`);
    await writeFile(draft, contentFor(note), { mode: 0o600 });
    try {
        await link(draft, fileOf(path, number));
        return true;
    }
    catch (error) {
        if (isCode(error, 'EEXIST'))
            return false;
        throw error;
    }
    finally {
        await remove(draft);
    }
}
async function replace(file, content) {
    const draft = join(dirname(file), `.${basename(file)}-${randomUUID()}`);
    try {
        await writeFile(draft, content, { mode: 0o600 });
        await rename(draft, file);
    }
    catch (error) {
        // The whole folder was removed: then there is nothing left to lock.
        if (!isCode(error, 'ENOENT'))
            throw error;
    }
}
async function remove(file) {
    await unlink(file).catch((error) => {
        if (!isCode(error, 'ENOENT'))
            throw error;
    });
}
function contentFor(note) {
    const identity = identityOf(process.pid) ?? { pid: process.pid };
    return `${JSON.stringify({ ...identity, note })}\n`;
}
/** A released lock and one that cannot be read as a holder are free. */
async function readHolder(file) {
    try {
        const parsed = JSON.parse(await readFile(file, 'utf8'));
        return isHolder(parsed) ? parsed : undefined;
    }
    catch {
        return undefined;
    }
}
function isHolder(value) {
    if (typeof value !== 'object' || value === null)
        return false;
    return 'pid' in value && typeof value.pid === 'number' && 'note' in value && typeof value.note === 'object';
}
function isCode(error, code) {
    return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
//# sourceMappingURL=lock-file.js.map