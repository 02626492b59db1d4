import type { CreatedEnrolmentTokenView, EnrolmentTokenId, EnrolmentTokenView, KeyId } from '@muster/protocol';
import { ShownList, ShownMoment, ShownText } from './shown.js';

/** What a machine may exchange once for a worker key of its own. */
export class EnrolmentTokenViewDto implements EnrolmentTokenView {
  @ShownText({ example: 'enr_01JDABCDEF0123456789ABCDEF' })
  id: EnrolmentTokenId;

  @ShownText()
  name: string;

  @ShownText('Whose the machine\'s key will be.')
  owner: string;

  @ShownText('The first characters of the token, enough to recognise it.')
  prefix: string;

  @ShownMoment()
  createdAt: string;

  @ShownMoment()
  expiresAt: string;

  @ShownMoment({ nullable: true })
  revokedAt: string | null;

  @ShownMoment({ nullable: true })
  usedAt: string | null;

  @ShownText({ description: 'The key that was made of it.', nullable: true })
  keyId: KeyId | null;
}

export class CreatedEnrolmentTokenViewDto extends EnrolmentTokenViewDto implements CreatedEnrolmentTokenView {
  @ShownText('The token, in full. Shown this once and stored nowhere.')
  token: string;
}

export class EnrolmentTokenListDto {
  @ShownList(() => EnrolmentTokenViewDto)
  data: EnrolmentTokenViewDto[];
}
