import type { Page } from '@muster/protocol';
import type { CallOptions, Http, QueryValue } from './http.js';

export interface PageOptions extends CallOptions {
  /** Items per request, 1 to 200. The server's default unless given. */
  readonly pageSize?: number;
}

/** Walks a list to its end, one request per page, each when the one before is used up. */
export async function* eachOf<T>(
  http: Http,
  path: string,
  query: Readonly<Record<string, QueryValue>>,
  options: PageOptions,
): AsyncGenerator<T, void, undefined> {
  let cursor: string | null = null;
  do {
    const page: Page<T> = await http.json('GET', path, {
      query: { ...query, limit: options.pageSize, cursor },
      signal: options.signal,
    });
    yield* page.data;
    // A list that is not paged answers no cursor at all.
    cursor = page.nextCursor ?? null;
  } while (cursor !== null);
}
