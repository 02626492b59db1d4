/** Version of this library, as in its package.json. */
export const CLIENT_VERSION = '0.1.0';
