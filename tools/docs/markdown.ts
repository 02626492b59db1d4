import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '../..');

const NOT_OURS = new Set(['node_modules', 'dist', 'coverage', '.nx', '.git']);
const TOP_FOLDERS = ['apps', 'libs', 'e2e', 'tools', 'docs', 'examples'];

/** Every markdown page of the repository, as paths from its root. */
export function allPages(): string[] {
  const below = (folder: string): string[] =>
    readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
      const file = path.posix.join(folder, entry.name);
      if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : below(file);
      return entry.name.endsWith('.md') ? [file] : [];
    });
  return below('.').sort();
}

export const readPage = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

const FENCE = /^(`{3,})(\w*)[^\n]*\n([\s\S]*?)^\1 *$/gm;

/** The text without its code blocks. */
export const prose = (text: string): string => text.replace(FENCE, '');

/** The code blocks of one language. */
export function blocks(text: string, language: string): string[] {
  return [...text.matchAll(FENCE)].filter((match) => match[2] === language).map((match) => match[3] ?? '');
}

/** Links to places inside the repository, as they are written. */
export function innerLinks(text: string): string[] {
  const targets = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** Names of headings as links address them. */
export function anchors(text: string): string[] {
  return [...prose(text).matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** What stands behind a link of a page: nothing is wrong when the answer is undefined. */
export function brokenLink(page: string, target: string): string | undefined {
  const [file = '', anchor] = target.split('#');
  const found = file === '' ? page : path.posix.join(path.posix.dirname(page), file);
  if (!existsSync(path.join(ROOT, found))) return `${target}: there is no ${found}`;
  if (anchor === undefined || !found.endsWith('.md')) return undefined;
  return anchors(readPage(found)).includes(anchor) ? undefined : `${target}: ${found} has no such heading`;
}

/** Paths named in backticks: those that begin with one of our top folders. `<name>` and `*` stand for any name. */
export function namedPaths(text: string): string[] {
  const pattern = new RegExp(`^(?:${TOP_FOLDERS.join('|')})(?:/[\\w.{},*<>@-]+)+/?$`);
  const spans = [...prose(text).matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');
  return spans.filter((span) => pattern.test(span)).flatMap(expandBraces);
}

/** `a/{b,c}` → `a/b`, `a/c`. */
function expandBraces(text: string): string[] {
  const match = /^(.*?)\{([^{}]*)\}(.*)$/.exec(text);
  if (!match) return [text];
  const [, before = '', choices = '', after = ''] = match;
  return choices.split(',').flatMap((choice) => expandBraces(`${before}${choice}${after}`));
}

/** Whether at least one file or folder answers to the path. */
export function pathExists(named: string): boolean {
  let candidates = [ROOT];
  for (const part of named.replace(/\/$/, '').split('/')) {
    const pattern = new RegExp(
      `^${part
        .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
        .replace(/<[^>]*>/g, '*')
        .replaceAll('*', '.*')}$`,
    );
    candidates = candidates
      .filter((folder) => existsSync(folder) && statSync(folder).isDirectory())
      .flatMap((folder) =>
        readdirSync(folder)
          .filter((name) => pattern.test(name))
          .map((name) => path.join(folder, name)),
      );
  }
  return candidates.length > 0;
}

/** What a page tells people to type: lines of shell blocks without their comments, and commands named in the text. */
export function commands(text: string): string[] {
  const lines = blocks(text, 'sh').flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'));
  const spans = [...prose(text).matchAll(/`((?:[A-Z_]+=\S+ )*(?:npm|npx|node) [^`\n]+)`/g)].map(
    (match) => match[1] ?? '',
  );
  return [...lines, ...spans]
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split(' && '))
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '');
}
