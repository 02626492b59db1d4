import { urlFor } from './settings.js';

describe('the address of a control plane', () => {
  it.each([
    ['127.0.0.1', 'http://127.0.0.1:6878'],
    ['0.0.0.0', 'http://127.0.0.1:6878'],
    ['::', 'http://127.0.0.1:6878'],
    ['::1', 'http://[::1]:6878'],
    ['lab.example', 'http://lab.example:6878'],
  ])('that listens on %s is %s', (host, url) => {
    expect(urlFor(host, 6_878)).toBe(url);
  });
});
