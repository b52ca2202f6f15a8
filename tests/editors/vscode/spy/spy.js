// Lets a test look into the extension host of one window: runs the function body that it is sent.
// Listens on a socket in a folder that only this user can enter, named after the window's workspace.
'use strict';
const vscode = require('vscode');
const net = require('node:net');
const path = require('node:path');

const AsyncFunction = (async () => {}).constructor;

async function answer(request) {
  try {
    const { body, given } = JSON.parse(request);
    const result = await new AsyncFunction('vscode', 'given', body)(vscode, given);
    return JSON.stringify({ result: result === undefined ? null : result });
  } catch (error) {
    return JSON.stringify({ error: String(error && error.stack) });
  }
}

exports.activate = function (context) {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? 'none';
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const parts = [];
    socket.on('error', () => {});
    socket.on('data', (part) => parts.push(part));
    socket.on('end', async () => socket.end(await answer(Buffer.concat(parts).toString('utf8'))));
  });
  server.listen(path.join(process.env.CODE_SPY_FOLDER, path.basename(folder)));
  context.subscriptions.push({ dispose: () => server.close() });
};
