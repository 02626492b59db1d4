/** `COPY … FROM STDIN` of one buffer through `pg`, which has no method for it; resolves when it is committed. */
export function copyIn(client, text, bytes) {
  return new Promise((resolve, reject) => {
    const nothing = () => undefined;
    client.query({
      submit: (connection) => connection.query(text),
      handleCopyInResponse(connection) {
        connection.sendCopyFromChunk(bytes);
        connection.endCopyFrom();
      },
      handleError: reject,
      handleReadyForQuery: () => resolve(),
      handleCommandComplete: nothing,
      handleRowDescription: nothing,
      handleDataRow: nothing,
      handleEmptyQuery: nothing,
    });
  });
}
