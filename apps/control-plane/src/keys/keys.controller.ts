import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CreatedKeyViewDto, CreateKeyDto, KeyListDto, KeyViewDto, RotateKeyDto } from '@muster/dto';
import type { CreatedKeyView, KeyView } from '@muster/protocol';
import { By, Requires } from '../http/access.js';
import { Answers } from '../http/answers.js';
import type { Caller } from './caller.js';
import { KeysService } from './keys.service.js';

@Requires('admin')
@ApiTags('Keys')
@Controller('api/v1/keys')
export class KeysController {
  constructor(private readonly keys: KeysService) {}

  @Get()
  @Answers({ summary: 'List keys', description: 'Newest first, revoked ones too; secrets are never shown.', type: KeyListDto })
  async listKeys(): Promise<{ data: KeyView[] }> {
    return { data: await this.keys.list() };
  }

  @Post()
  @HttpCode(201)
  @Answers({ summary: 'Create a key', description: 'The secret stands in this answer and nowhere else.', status: 201, type: CreatedKeyViewDto })
  createKey(@Body() body: CreateKeyDto, @By() caller: Caller): Promise<CreatedKeyView> {
    return this.keys.create({ ...body, owner: body.owner ?? caller.owner }, caller.owner);
  }

  @Post(':id/rotate')
  @HttpCode(201)
  @Answers({
    summary: 'Replace the secret of a key',
    description:
      'The key stays the same: its id, name, role, owner and workers. The new secret stands in this answer and nowhere else; those before go on working for the overlap, and connections opened with them end with it.',
    status: 201,
    type: CreatedKeyViewDto,
  })
  rotateKey(@Param('id') id: string, @Body() body: RotateKeyDto, @By() caller: Caller): Promise<CreatedKeyView> {
    return this.keys.rotate(id, body.overlapSeconds, caller);
  }

  @Delete(':id')
  @Answers({
    summary: 'Revoke a key',
    description:
      'It stops working at once; its sockets and followers are closed within 2 seconds on every replica, and its workers neither renew nor end what they run until they come with another key. Revoking twice changes nothing.',
    type: KeyViewDto,
  })
  revokeKey(@Param('id') id: string, @By() caller: Caller): Promise<KeyView> {
    return this.keys.revoke(id, caller);
  }
}
