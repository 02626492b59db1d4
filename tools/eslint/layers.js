/**
 * Who may import whom: one row per layer, read from top to bottom. The tags stand in each package.json (`nx.tags`).
 * An empty list of libs bans every lib; an empty list of externals bans every npm package; a project that matches no row
 * may depend on no lib at all.
 */
const SERVER_ONLY = ['@nestjs/*', 'typeorm', 'pg', 'class-validator', 'class-transformer', 'reflect-metadata'];
const BROWSER_ONLY = ['react', 'react-dom', 'react-*'];

export const layers = [
  { sourceTag: 'type:protocol', onlyDependOnLibsWithTags: [], allowedExternalImports: [] },
  {
    sourceTag: 'type:dto',
    onlyDependOnLibsWithTags: ['type:protocol'],
    bannedExternalImports: ['typeorm', 'pg', ...BROWSER_ONLY],
  },
  { sourceTag: 'type:domain', onlyDependOnLibsWithTags: ['type:protocol'], allowedExternalImports: [] },
  { sourceTag: 'type:runtime', onlyDependOnLibsWithTags: [], bannedExternalImports: [...SERVER_ONLY, ...BROWSER_ONLY] },
  {
    sourceTag: 'type:client',
    onlyDependOnLibsWithTags: ['type:protocol'],
    allowedExternalImports: ['socket.io-client'],
  },
  // Embedded PostgreSQL and the launcher of local processes; knows no product code, so that every test can stand on it.
  {
    sourceTag: 'type:local-stack',
    onlyDependOnLibsWithTags: ['type:runtime'],
    bannedExternalImports: ['@nestjs/*', 'typeorm'],
  },
  {
    sourceTag: 'type:testing',
    onlyDependOnLibsWithTags: ['type:protocol', 'type:domain', 'type:runtime', 'type:client', 'type:local-stack'],
    bannedExternalImports: ['@nestjs/*', 'typeorm'],
  },
  {
    sourceTag: 'type:e2e',
    onlyDependOnLibsWithTags: ['type:testing', 'type:client', 'type:protocol', 'type:local-stack'],
  },
  {
    sourceTag: 'scope:control-plane',
    onlyDependOnLibsWithTags: ['type:protocol', 'type:dto', 'type:domain', 'type:runtime'],
    bannedExternalImports: ['socket.io-client', ...BROWSER_ONLY],
  },
  {
    sourceTag: 'scope:agent',
    onlyDependOnLibsWithTags: ['type:protocol', 'type:dto', 'type:domain', 'type:runtime'],
    bannedExternalImports: ['typeorm', 'pg', ...BROWSER_ONLY],
  },
  {
    sourceTag: 'scope:cli',
    onlyDependOnLibsWithTags: ['type:client', 'type:protocol', 'type:local-stack'],
    bannedExternalImports: SERVER_ONLY,
  },
  {
    sourceTag: 'scope:dashboard',
    onlyDependOnLibsWithTags: ['type:client', 'type:protocol'],
    bannedExternalImports: SERVER_ONLY,
  },
];

/** What the test tools stand on cannot use them: that would be a circle of projects. */
const BELOW_TESTING = layers.find(({ sourceTag }) => sourceTag === 'type:testing').onlyDependOnLibsWithTags;

/**
 * The same map for specs and `test/` folders: apps and DTOs may also see the test tools, and everybody any npm package.
 * Production code still cannot reach them, which is how test helpers stay out of what we ship.
 */
export const layersOfSpecs = layers.map(({ sourceTag, onlyDependOnLibsWithTags }) => ({
  sourceTag,
  onlyDependOnLibsWithTags: BELOW_TESTING.includes(sourceTag)
    ? onlyDependOnLibsWithTags
    : [...onlyDependOnLibsWithTags, 'type:testing', 'type:local-stack', 'type:client'],
}));
