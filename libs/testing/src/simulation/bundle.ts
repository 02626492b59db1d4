/**
 * The simulation, or what of the domain it runs, as one script: the product's text, or with patches a mutant's. Jest compiles
 * each use of an import to a call of a getter and looks up every global in its sandbox, by which a schedule takes twice its
 * time; a script that runs outside has neither.
 */
import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { runInThisContext } from 'node:vm';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import type { Patch } from './mutants/mutant.js';

/**
 * @param entry the file whose exports are wanted, below the folder of libs
 * @param libsFolder where `domain`, `protocol` and `testing` lie
 * @throws when a patch does not fit in exactly one place
 */
export async function bundle(entry: string, libsFolder: string, patches: readonly Patch[] = []): Promise<string> {
  const applied = new Set<Patch>();
  const result = await build({
    entryPoints: [join(libsFolder, entry)], bundle: true, write: false, format: 'cjs', platform: 'node', target: 'node20', conditions: ['@muster/source'],
    logLevel: 'silent', plugins: patches.length === 0 ? [] : [patching(resolve(libsFolder, 'domain/src'), patches, applied)],
  });
  const missed = patches.find((patch) => !applied.has(patch));
  if (missed !== undefined) throw new Error(`The mutant changes ${missed.file}, which is not there.`);
  return result.outputFiles[0]?.text ?? '';
}

/** Runs the script outside Jest's sandbox: its objects are of another realm than those of the tests. */
export function runOutside<Exports extends object>(code: string): Exports {
  const module: { exports: Partial<Exports> } = { exports: {} };
  const run = runInThisContext(`(function (module, exports) {${code}\n})`) as (of: typeof module, exports: object) => void;
  run(module, module.exports);
  return module.exports as Exports;
}

function patching(source: string, patches: readonly Patch[], applied: Set<Patch>): Plugin {
  return {
    name: 'patches',
    setup(builder) {
      builder.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        // The libs know one another by links.
        const file = relative(source, path);
        let contents = readFileSync(path, 'utf8');
        for (const patch of patches) {
          if (patch.file !== file) continue;
          contents = apply(contents, patch);
          applied.add(patch);
        }
        return { contents, loader: 'ts' };
      });
    },
  };
}

function apply(text: string, { file, find, replace }: Patch): string {
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`The mutant's text stands ${places} times in ${file}: ${find}`);
  return text.replace(find, () => replace);
}
