import type { SampleResolution, SamplesView } from '@muster/protocol';
import type { CallOptions, Http, QueryValue } from './http.js';

/** Which samples. Give `points` or `resolution`, not both. */
export interface SamplesOptions extends CallOptions {
  /** RFC 3339. Default: an hour before `to`; of a job, when its attempt began. */
  readonly from?: string;
  /** Does not belong to it any more. Default: now; of a job, when its attempt ended. */
  readonly to?: string;
  /** At most so many buckets for the whole window. */
  readonly points?: number;
  /** As they came, or by minute or hour; what one answer cannot hold is read from its `nextFrom`. */
  readonly resolution?: SampleResolution;
}

export function readSamples(
  http: Http,
  path: string,
  options: SamplesOptions,
  more: Readonly<Record<string, QueryValue>>,
): Promise<SamplesView> {
  const { from, to, points, resolution, signal } = options;
  return http.json('GET', path, { query: { from, to, points, resolution, ...more }, signal });
}
