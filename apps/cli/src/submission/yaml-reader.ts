// `yaml` is CommonJS: what it exports is known by name in a bundle only where it is imported by name. So it is here, and this
// file is what a command loads when it needs it.
export { parseAllDocuments } from 'yaml';
