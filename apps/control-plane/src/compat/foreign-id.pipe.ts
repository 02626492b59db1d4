import { Injectable } from '@nestjs/common';
import type { PipeTransform } from '@nestjs/common';

/** An id of another system in a path: any text. One that PostgreSQL cannot hold is made the empty one, which nobody has. */
@Injectable()
export class ForeignIdPipe implements PipeTransform {
  transform(value: unknown): string {
    return typeof value === 'string' && !value.includes('\0') ? value : '';
  }
}
