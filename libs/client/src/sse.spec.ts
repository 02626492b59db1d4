import { SseParser, type ServerSentEvent } from './sse.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function parse(...pieces: readonly string[]): ServerSentEvent[] {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.push(bytes(piece)));
}

describe('an event stream', () => {
  it('yields an event at the blank line that ends it', () => {
    expect(parse('id: 7\nevent: log\ndata: {"a":1}\n')).toEqual([]);
    expect(parse('id: 7\nevent: log\ndata: {"a":1}\n\n')).toEqual([{ event: 'log', data: '{"a":1}', id: '7' }]);
  });

  it.each([
    ['LF', 'data: a\n\ndata: b\n\n'],
    ['CR', 'data: a\r\rdata: b\r\r'],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n'],
  ])('reads the same events with lines that end in %s', (_name, text) => {
    expect(parse(text).map((event) => event.data)).toEqual(['a', 'b']);
  });

  it('reads the same events wherever the pieces are cut', () => {
    const text = 'id: 1\r\nevent: log\r\ndata: grün\r\ndata: zwei\r\n\r\n: ping\r\n\r\nid: 2\r\ndata: ende\r\n\r\n';
    const whole = parse(text);
    const raw = bytes(text);
    for (let cut = 0; cut <= raw.length; cut++) {
      const parser = new SseParser();
      expect([...parser.push(raw.subarray(0, cut)), ...parser.push(raw.subarray(cut))]).toEqual(whole);
    }
    const oneByOne = new SseParser();
    expect([...raw].flatMap((byte) => oneByOne.push(Uint8Array.of(byte)))).toEqual(whole);
    expect(whole).toEqual([
      { event: 'log', data: 'grün\nzwei', id: '1' },
      { event: 'message', data: 'ende', id: '2' },
    ]);
  });

  it('keeps the last id for events that bring none', () => {
    expect(parse('id: 1\ndata: a\n\ndata: b\n\n').map((event) => event.id)).toEqual(['1', '1']);
  });

  it('ignores comments, unknown fields and ids with a NUL', () => {
    expect(parse(': hello\nfoo: bar\nid: a\0b\ndata: x\n\n')).toEqual([{ event: 'message', data: 'x', id: '' }]);
  });

  it('takes one space after the colon away, and only one', () => {
    expect(parse('data:x\ndata: y\ndata:  z\n\n')[0]?.data).toBe('x\ny\n z');
  });

  it('yields nothing for a blank line without data', () => {
    expect(parse('event: log\n\n\n\ndata: a\n\n')).toEqual([{ event: 'message', data: 'a', id: '' }]);
  });

  it('keeps the pause that the server asks for', () => {
    const parser = new SseParser();
    parser.push(bytes('retry: 1500\nretry: soon\n'));
    expect(parser.retryMs).toBe(1_500);
  });
});
