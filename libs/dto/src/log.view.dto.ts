import { LOG_STREAMS } from '@muster/protocol';
import type { AttemptId, LogMatchesView, LogPageView, LogStream } from '@muster/protocol';
import { ApiProperty } from '@nestjs/swagger';
import { LogStreamStateDto } from './attempt.view.dto.js';
import { ShownFlag, ShownList, ShownMoment, ShownObject, ShownOneOf, ShownText, ShownWhole } from './shown.js';

export class LogSegmentDto {
  @ShownOneOf(['bytes', 'gap'], 'A gap: bytes that were printed and not kept.')
  type: 'bytes' | 'gap';

  @ShownWhole()
  offset: number;

  @ShownWhole()
  length: number;

  @ApiProperty({ type: 'string', format: 'byte', required: false, description: 'The bytes as printed; absent in a gap.' })
  base64?: string;

  @ShownMoment('When the agent read them.')
  readAt: string;
}

/** A piece of one stream of one attempt. */
export class LogPageDto implements LogPageView {
  @ShownText()
  attemptId: AttemptId;

  @ShownWhole()
  attemptNumber: number;

  @ShownOneOf(LOG_STREAMS)
  stream: LogStream;

  @ShownWhole('First byte of the piece.')
  offset: number;

  @ShownWhole('Where the next piece begins.')
  nextOffset: number;

  @ShownWhole('Line ends before the piece.')
  firstLine: number;

  @ShownList(() => LogSegmentDto)
  segments: LogSegmentDto[];

  @ShownObject(() => LogStreamStateDto)
  log: LogStreamStateDto;
}

export class LogMatchDto {
  @ShownWhole('First byte of the match.')
  offset: number;

  @ShownWhole('Line it stands in, counted from 0.')
  line: number;

  @ShownText('The line around the match, at most 400 bytes of it.')
  text: string;
}

/** Places where a text stands, in order. */
export class LogMatchesDto implements LogMatchesView {
  @ShownText()
  attemptId: AttemptId;

  @ShownOneOf(LOG_STREAMS)
  stream: LogStream;

  @ShownList(() => LogMatchDto)
  data: LogMatchDto[];

  @ShownWhole('Where the search goes on: give it as `offset`.')
  nextOffset: number;

  @ShownFlag('False when the search stopped before the end of what is stored.')
  isComplete: boolean;
}
