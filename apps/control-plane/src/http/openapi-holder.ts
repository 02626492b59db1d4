import { Injectable } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';

/** Stands between the application, which can make the document, and the controller, which serves it. */
@Injectable()
export class OpenApiHolder {
  make: () => OpenAPIObject = () => {
    throw new Error('configureHttp was not called.');
  };
  private text: string | undefined;

  json(): string {
    this.text ??= JSON.stringify(this.make());
    return this.text;
  }
}
