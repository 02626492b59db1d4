import { KEY_TIMES, LIMITS, ROLES } from '@muster/protocol';
import type { Role } from '@muster/protocol';
import { Moment, OneOf, Text, Whole } from './fields.js';

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

  @Moment({
    description: 'When it stops working, within ten years. Default: never.',
    example: '2027-01-01T00:00:00Z',
    isOptional: true,
  })
  expiresAt?: string;

  @Whole({
    description: 'The same as a time from now, by the clock of the database. Instead of `expiresAt`.',
    example: 2_592_000,
    min: 1,
    max: KEY_TIMES.lifetimeSecondsMax,
    isOptional: true,
  })
  expiresInSeconds?: number;
}

export class RotateKeyDto {
  @Whole({
    description: 'How long the secrets before go on working. 0 ends them at once. Default: a day.',
    example: 86_400,
    min: 0,
    max: KEY_TIMES.overlapSecondsMax,
    isOptional: true,
  })
  overlapSeconds?: number;
}

export class CreateEnrolmentTokenDto {
  @Text({ description: 'What it is for; the name of the key made of it unless the machine gives one.', example: 'lab-3', bytesMax: LIMITS.nameBytesMax })
  name: string;

  @Text({
    description: 'Whose the machine\'s key, and with it the worker, will be. Default: the owner of the key that makes the token.',
    example: 'lab',
    bytesMax: LIMITS.nameBytesMax,
    isOptional: true,
  })
  owner?: string;

  @Moment({ description: 'Until when it can be exchanged, within 30 days. Default: a day from now.', example: '2027-01-01T00:00:00Z', isOptional: true })
  expiresAt?: string;

  @Whole({
    description: 'The same as a time from now, by the clock of the database. Instead of `expiresAt`.',
    example: 3_600,
    min: 1,
    max: KEY_TIMES.enrolmentSecondsMax,
    isOptional: true,
  })
  expiresInSeconds?: number;
}

export class EnrolDto {
  @Text({ description: 'Name of the new key, by which people recognise the machine. Default: the name of the token.', example: 'lab-3', bytesMax: LIMITS.nameBytesMax, isOptional: true })
  name?: string;

  @Text({
    description:
      'A random text of the machine\'s own, kept until it has stored its key: sent again with the same token it is answered the same key, so a lost answer costs nothing. Everybody else is refused.',
    example: '6f1c0a5e9d2b4c7f8e3a1b0c9d8e7f60',
    bytesMin: 32,
    bytesMax: 200,
  })
  exchangeId: string;
}
