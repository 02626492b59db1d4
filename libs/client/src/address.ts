import { MusterError } from './errors.js';

/** Checks the address of a control plane and takes the slash from its end. Throws `MusterError` naming what is wrong. */
export function toBaseUrl(text: string): string {
  if (!URL.canParse(text)) throw refusal(text, 'it is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw refusal(text, 'it must begin with http:// or https://');
  if (url.username !== '' || url.password !== '') throw refusal(text, 'it must not hold a user or a password');
  if (url.search !== '' || url.hash !== '') throw refusal(text, 'it must not have a query or a fragment');
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function refusal(text: string, why: string): MusterError {
  return new MusterError({
    code: 'invalidRequest',
    status: null,
    detail: `${JSON.stringify(text)} is not the address of a control plane: ${why}.`,
    hint: 'Give one like http://127.0.0.1:6878.',
  });
}

interface Nested {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

/** The most telling of the messages that platforms nest around a network failure. */
export function reasonOf(error: unknown): string {
  const { name, message, code } = deepestOf(error);
  if (name === 'TimeoutError') return 'it took too long';
  if (code === 'ECONNREFUSED') return 'nothing listens there (ECONNREFUSED)';
  if (code === 'ENOTFOUND') return 'there is no such host (ENOTFOUND)';
  if (isWithoutTls(error)) return 'what listens there does not speak TLS';
  // Words of libraries end in line breaks and points of their own.
  if (typeof message === 'string' && message.trim() !== '') return message.trim().replace(/\.$/, '');
  return typeof code === 'string' ? code : String(error);
}

/** Whether https was tried where something answers that is no TLS: plain HTTP, most likely. */
export function isWithoutTls(error: unknown): boolean {
  const { code } = deepestOf(error);
  return typeof code === 'string' && ANSWERS_WITHOUT_TLS.includes(code);
}

const ANSWERS_WITHOUT_TLS = ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'ERR_SSL_HTTP_REQUEST'];

/** By shape and not by class: an error from another realm (a frame, a test's sandbox) is no instance of our `Error`. */
function deepestOf(error: unknown): Nested {
  let deepest = toNested(error);
  for (;;) {
    // Node gathers one error per address it tried.
    const below = Array.isArray(deepest.errors) ? deepest.errors[0] : deepest.cause;
    if (typeof below !== 'object' || below === null) return deepest;
    deepest = toNested(below);
  }
}

function toNested(error: unknown): Nested {
  return typeof error === 'object' && error !== null ? error : { message: String(error) };
}
