xit('a chunk is stored once', () => expect(1).toBe(1));
