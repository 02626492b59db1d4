/** What the server's programs need from our environment, and nothing that would change what they do (`PGDATA` and the like). */
export declare function serverEnvironment(): NodeJS.ProcessEnv;
//# sourceMappingURL=server-environment.d.ts.map