it('should store a chunk once', () => expect(1).toBe(1));
