import 'reflect-metadata';
import { runAgent } from './run-agent.js';

process.exit(await runAgent());
