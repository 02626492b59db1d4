import { OneOf } from '@muster/dto';
import { LIMITS } from '@muster/protocol';
import { ForeignObject, ForeignText, ForeignTexts } from '../foreign-fields.js';

export const PLATFORMS = ['linux', 'darwin', 'windows'] as const;
const HOSTNAME_MAX = 255;
const METADATA_BYTES_MAX = 16_384;

/** What a worker says it is; its key, `api_key` of the same body, is looked at before and not kept. */
export class FinetunelabRegisterDto {
  @ForeignText({ description: 'Tells the machines of one key apart.', lengthMin: 1, lengthMax: HOSTNAME_MAX })
  hostname: string;

  @OneOf(PLATFORMS, { description: 'Its operating system.' })
  platform: (typeof PLATFORMS)[number];

  @ForeignText({ description: 'Of the worker\'s program.' })
  version: string;

  @ForeignTexts({ description: 'Free words.', itemsMax: LIMITS.labelsMax, lengthMax: LIMITS.nameBytesMax, isOptional: true })
  capabilities: string[] = [];

  @ForeignObject({ description: 'Kept as sent.', bytesMax: METADATA_BYTES_MAX, isOptional: true })
  metadata: Record<string, unknown> = {};
}
