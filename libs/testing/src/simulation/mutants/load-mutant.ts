/** Applies patches to the text of libs/domain and gives back the decisions that come of it. */
import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import { PRODUCT_SHELL } from '../world/reducers.js';
import type { Decisions, Reducers } from '../world/reducers.js';
import type { Mutant, Patch } from './mutant.js';

/**
 * @param libsFolder where `domain` and `protocol` lie
 * @throws when a patch does not fit in exactly one place
 */
export async function loadMutant(mutant: Pick<Mutant, 'patches' | 'shell'>, libsFolder: string): Promise<Reducers> {
  const decisions = await compile(mutant.patches ?? [], libsFolder);
  return { ...decisions, shell: { ...PRODUCT_SHELL, ...mutant.shell } };
}

async function compile(patches: readonly Patch[], libsFolder: string): Promise<Decisions> {
  const source = resolve(libsFolder, 'domain/src');
  const applied = new Set<Patch>();
  const plugin: Plugin = {
    name: 'patches',
    setup(builder) {
      builder.onLoad({ filter: /\.ts$/ }, ({ path }) => {
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
  const result = await build({
    entryPoints: [join(source, 'index.ts')], bundle: true, write: false, format: 'cjs', platform: 'neutral', target: 'node20', conditions: ['@muster/source'],
    logLevel: 'silent', plugins: [plugin],
  });
  const missed = patches.find((patch) => !applied.has(patch));
  if (missed !== undefined) throw new Error(`The mutant changes ${missed.file}, which is not there.`);
  return evaluate(result.outputFiles[0]?.text ?? '');
}

function apply(text: string, { file, find, replace }: Patch): string {
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`The mutant's text stands ${places} times in ${file}: ${find}`);
  return text.replace(find, () => replace);
}

/** In this realm: what the mutant makes must be of the same kind as what the checks compare it with. */
function evaluate(code: string): Decisions {
  const module: { exports: Partial<Decisions> } = { exports: {} };
  new Function('module', 'exports', code)(module, module.exports);
  const { serverStep, decideClaim, agentStep, startAgent, nextWakeMs, onLogChunk, factsNeeded, newInstanceId } = module.exports;
  if (!serverStep || !decideClaim || !agentStep || !startAgent || !nextWakeMs || !onLogChunk || !factsNeeded || !newInstanceId) {
    throw new Error('The mutant lacks a decision.');
  }
  return { serverStep, decideClaim, agentStep, startAgent, nextWakeMs, onLogChunk, factsNeeded, newInstanceId };
}
