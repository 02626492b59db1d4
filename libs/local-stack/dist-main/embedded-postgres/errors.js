/** Embedded PostgreSQL cannot run as asked. The message is a sentence for a person and says what to do. */
export class EmbeddedPostgresError extends Error {
    constructor(code, message, options) {
        super(message, options);
        this.code = code;
        this.name = 'EmbeddedPostgresError';
    }
}
//# sourceMappingURL=errors.js.map