import { createServer } from 'node:net';
/** Whether a server could listen there now. */
export function isPortFree(port, host = '127.0.0.1') {
    return new Promise((resolve) => {
        const server = createServer();
        server.once('error', () => resolve(false));
        server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
    });
}
/** The first free port from `first` on; any free one for 0, and when the next hundred are taken. */
export async function nextFreePort(first, host = '127.0.0.1') {
    if (first === 0)
        return anyFreePort(host);
    for (let port = first; port < Math.min(first + 100, 65_536); port += 1) {
        if (await isPortFree(port, host))
            return port;
    }
    return anyFreePort(host);
}
/** A port that nobody listens on at this moment. Another program may take it before the caller does: be ready to ask again. */
export function anyFreePort(host = '127.0.0.1') {
    return new Promise((resolve, reject) => {
        const server = createServer();
        server.once('error', reject);
        server.listen({ port: 0, host, exclusive: true }, () => {
            const address = server.address();
            const port = typeof address === 'object' && address ? address.port : 0;
            server.close(() => resolve(port));
        });
    });
}
//# sourceMappingURL=free-port.js.map