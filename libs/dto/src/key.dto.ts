import { LIMITS, ROLES } from '@muster/protocol';
import type { Role } from '@muster/protocol';
import { Moment, OneOf, Text } from './fields.js';

export class CreateKeyDto {
  @Text({ description: 'What it is for; people recognise the key by it.', example: 'laptop of Maria', bytesMax: LIMITS.nameBytesMax })
  name: string;

  @OneOf(ROLES, { description: 'What it may do.', example: 'submitter' })
  role: Role;

  @Text({
    description: 'Who answers for what is done with it. Default: the owner of the key that makes it.',
    example: 'maria',
    bytesMax: LIMITS.nameBytesMax,
    isOptional: true,
  })
  owner?: string;

  @Moment({ description: 'When it stops working. Default: never.', example: '2027-01-01T00:00:00Z', isOptional: true })
  expiresAt?: string;
}
