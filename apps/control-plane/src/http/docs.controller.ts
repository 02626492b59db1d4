import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Controller, Get, Header, Param, StreamableFile } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { API_DOCS_PATH, OPENAPI_PATH } from '@muster/protocol';
import { Public } from './access.js';
import { OpenApiHolder } from './openapi-holder.js';
import { notFound } from './refusal.js';

const ASSETS = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
/** The only files that are served, with their types: nothing from a URL ever becomes a path. */
const ASSET_TYPES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
  'favicon-32x32.png': 'image/png',
};

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Muster API</title>
<link rel="icon" href="${API_DOCS_PATH}/favicon-32x32.png">
<link rel="stylesheet" href="${API_DOCS_PATH}/swagger-ui.css">
</head>
<body>
<div id="ui"></div>
<script src="${API_DOCS_PATH}/swagger-ui-bundle.js"></script>
<script src="${API_DOCS_PATH}/start.js"></script>
</body>
</html>
`;
// A file and not an inline script: the content security policy allows no inline ones.
const START = `SwaggerUIBundle({ url: '${OPENAPI_PATH}', dom_id: '#ui', deepLinking: true });\n`;

/** The OpenAPI document, and Swagger UI from files of our own: works without a network, loads nothing from elsewhere. */
@Public()
@ApiExcludeController()
@Controller('api')
export class DocsController {
  constructor(private readonly document: OpenApiHolder) {}

  @Get('openapi.json')
  @Header('Content-Type', 'application/json; charset=utf-8')
  getOpenApi(): string {
    return this.document.json();
  }

  @Get('docs')
  @Header('Content-Type', 'text/html; charset=utf-8')
  getDocs(): string {
    return PAGE;
  }

  @Get('docs/start.js')
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  getDocsStart(): string {
    return START;
  }

  @Get('docs/:asset')
  getDocsAsset(@Param('asset') asset: string): StreamableFile {
    const type = Object.hasOwn(ASSET_TYPES, asset) ? ASSET_TYPES[asset] : undefined;
    if (type === undefined) throw notFound('file', asset, `The documents begin at ${API_DOCS_PATH}.`);
    return new StreamableFile(createReadStream(join(ASSETS, asset)), { type });
  }
}
