// A bare Socket.IO server that answers everything at once: forked by socket-echo.mjs.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, maxHttpBufferSize: 1024 * 1024 });
io.on('connection', (socket) => {
  socket.on('echo', (body, reply) => reply(body));
  socket.on('bytes', (bytes, reply) => reply(bytes.length));
});
http.listen(0, '127.0.0.1', () => process.send({ port: http.address().port }));
process.once('disconnect', () => process.exit(0));
