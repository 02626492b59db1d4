/** Version of this program, as in its package.json. */
export const CLI_VERSION = '0.1.0';
