it('a chunk is stored once', () => expect(1).toBe(1));
it('a chunk is stored once', () => expect(2).toBe(2));
