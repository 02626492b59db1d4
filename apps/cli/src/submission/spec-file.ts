import { readFile } from 'node:fs/promises';
import { LIMITS } from '@muster/protocol';
import type { JobSubmission } from '@muster/client';
import type { Document } from 'yaml';
import { usageFailure } from '../failure.js';
import { readStdin } from '../stdin.js';

/**
 * The jobs in a file: one job, a list of jobs, `{ "jobs": […] }`, or several YAML documents. JSON is YAML, so one reader
 * takes both. What a job may hold is the control plane's to judge; here only the form is.
 *
 * @param path `-` for stdin
 */
export async function readSpecFile(path: string): Promise<Partial<JobSubmission>[]> {
  const name = path === '-' ? 'stdin' : path;
  const text = path === '-' ? await readPipe() : await readText(path);
  const { parseAllDocuments } = await import('./yaml-reader.js');
  const parsed = parseAllDocuments(text, { uniqueKeys: true });
  const documents = Array.isArray(parsed) ? parsed : [];
  const values: unknown[] = [];
  for (const document of documents) {
    const value = valueOf(document, name);
    if (value !== null) values.push(value);
  }
  const jobs = values.flatMap(jobsIn);
  if (jobs.length === 0) throw usageFailure(`${name} holds no job.`, 'Give at least `run: { command: [...] }`.');
  if (jobs.length > LIMITS.jobsPerSubmitMax) {
    throw usageFailure(`${name} holds ${jobs.length} jobs.`, `Submit at most ${LIMITS.jobsPerSubmitMax} at once.`);
  }
  return jobs.map((job, index) => {
    if (typeof job === 'object' && job !== null && !Array.isArray(job)) return job;
    throw usageFailure(`Job ${index + 1} in ${name} is not an object.`, 'A job has fields: name, run, env, needs, …');
  });
}

function valueOf(document: Document, name: string): unknown {
  const [error] = document.errors;
  const refuse = (why: string): never => {
    throw usageFailure(`${name} is neither JSON nor YAML.`, 'Correct the file.', why);
  };
  if (error !== undefined) return refuse(error.message);
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (reason) {
    return refuse(reason instanceof Error ? reason.message : String(reason));
  }
}

function jobsIn(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  const jobs = typeof value === 'object' && value !== null ? (value as { jobs?: unknown }).jobs : undefined;
  return Array.isArray(jobs) ? jobs : [value];
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const next = `To run a command put -- before it: muster submit -- ${path}`;
    if (code === 'ENOENT') throw usageFailure(`There is no file ${path}.`, next);
    throw usageFailure(`The file ${path} cannot be read.`, 'Give a file with a job in JSON or YAML.', String(error));
  }
}

function readPipe(): Promise<string> {
  if (process.stdin.isTTY) throw usageFailure('Nothing is piped in.', 'muster submit - < job.yaml');
  return readStdin();
}
