import { OneOf } from '@muster/dto';
import { ForeignObject, ForeignText, ForeignTexts } from '../foreign-fields.js';

export const PLATFORMS = ['linux', 'darwin', 'windows'] as const;
const HOSTNAME_MAX = 255;

/** What a worker says it is; its key, `api_key` of the same body, is looked at before and not kept. */
export class FinetunelabRegisterDto {
  @ForeignText({ description: 'Tells the machines of one key apart.', lengthMin: 1, lengthMax: HOSTNAME_MAX })
  hostname: string;

  @OneOf(PLATFORMS, { description: 'Its operating system.' })
  platform: (typeof PLATFORMS)[number];

  @ForeignText({ description: 'Of the worker\'s program.' })
  version: string;

  @ForeignTexts({ description: 'Free words.', isOptional: true })
  capabilities: string[] = [];

  @ForeignObject({ description: 'Kept as sent.', isOptional: true })
  metadata: Record<string, unknown> = {};
}
