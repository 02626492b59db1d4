import { forwardRef } from '@nestjs/common';

export const knot = forwardRef;
