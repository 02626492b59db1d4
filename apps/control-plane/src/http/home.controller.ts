import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { API_DOCS_PATH, OPENAPI_PATH } from '@muster/protocol';
import { Public } from './access.js';

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Muster</title></head>
<body>
<h1>Muster</h1>
<p>This control plane is running. It is used through its REST interface and the <code>muster</code> command.</p>
<ul>
<li><a href="${API_DOCS_PATH}">The interface, to read and try</a></li>
<li><a href="${OPENAPI_PATH}">The OpenAPI document</a></li>
</ul>
<pre>
muster run -- echo hello     # submit a job and follow it
muster ps                    # jobs
muster workers               # machines
muster --help
</pre>
</body>
</html>
`;

/** A plain page that says what this is. Holds no data. */
@Public()
@ApiExcludeController()
@Controller()
export class HomeController {
  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  getHome(): string {
    return PAGE;
  }
}
