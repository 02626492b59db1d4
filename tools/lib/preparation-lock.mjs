// One installation or build at a time in this clone, also when two people type `npm start` at once.
// The rules are those of libs/local-stack/src/processes/lock-file.ts, which cannot be used before it is built.
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.mjs';

const FOLDER = join(ROOT, '.nx');
const PREFIX = 'preparation.lock.';

/** Runs the work while nobody else in this clone prepares anything. */
export async function withPreparationLock(work) {
  const file = await take();
  try {
    return await work();
  } finally {
    replace(file, 'released');
  }
}

async function take() {
  mkdirSync(FOLDER, { recursive: true });
  for (let isTold = false; ;) {
    const highest = numbers().at(-1) ?? 0;
    const holder = highest > 0 ? holderOf(fileOf(highest)) : undefined;
    if (holder === undefined) {
      const file = fileOf(highest + 1);
      if (create(file)) {
        const present = numbers();
        if (present.at(-1) === highest + 1) {
          for (const past of present.slice(0, -1)) rmSync(fileOf(past), { force: true });
          return file;
        }
        // Somebody slower than a whole lock's life: the number was free because it is long past.
        rmSync(file, { force: true });
      }
      continue;
    }
    if (!isTold)
      console.log(`Waiting for another start in this folder (pid ${holder}) to finish installing and building.`);
    isTold = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const fileOf = (number) => join(FOLDER, `${PREFIX}${number}`);

function numbers() {
  return readdirSync(FOLDER)
    .filter((name) => name.startsWith(PREFIX) && /^\d+$/.test(name.slice(PREFIX.length)))
    .map((name) => Number(name.slice(PREFIX.length)))
    .sort((left, right) => left - right);
}

function create(file) {
  const draft = join(FOLDER, `.${PREFIX}${process.pid}`);
  writeFileSync(draft, JSON.stringify({ pid: process.pid, startedAt: startTimeOf(process.pid) }));
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function replace(file, content) {
  const draft = `${file}-${process.pid}`;
  writeFileSync(draft, content);
  renameSync(draft, file);
}

/** The pid of the living holder, or `undefined`: it let go, or died, or its pid belongs to another process now. */
function holderOf(file) {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(file, 'utf8'));
    process.kill(pid, 0);
    return startedAt === startTimeOf(pid) ? pid : undefined;
  } catch (error) {
    return error.code === 'EPERM' ? 'of another user' : undefined;
  }
}

function startTimeOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return 'unknown';
  }
}
