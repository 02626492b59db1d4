import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { MeViewDto } from '@muster/dto';
import type { MeView } from '@muster/protocol';
import { By, Requires } from '../http/access.js';
import { Answers } from '../http/answers.js';
import type { Caller } from './caller.js';

@Requires('anyKey')
@ApiTags('Me')
@Controller('api/v1/me')
export class MeController {
  @Get()
  @Answers({ summary: 'Whose key this is', type: MeViewDto })
  getMe(@By() caller: Caller): MeView {
    return { keyId: caller.keyId, role: caller.role, owner: caller.owner, name: caller.name };
  }
}
