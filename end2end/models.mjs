// Model servers for stories: they say what they are told to.

import { createServer } from 'node:http';

/** A model server on loopback that says what it is told to, one answer a call: words, or the call of a tool. */
export async function scripted(answers) {
  const seen = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => (text += part));
    request.on('end', () => {
      const ask = JSON.parse(text);
      const said = answers[Math.min(seen.push(ask), answers.length) - 1];
      const call = said.tool && { id: `call_${seen.length}`, type: 'function', function: { name: said.tool, arguments: JSON.stringify(said.input) } };
      const reason = call ? 'tool_calls' : 'stop';
      const usage = { prompt_tokens: 1000, completion_tokens: 10, total_tokens: 1010 };
      const base = { id: 'c1', created: 1, model: 'big' };
      if (!ask.stream) {
        const message = call ? { role: 'assistant', content: null, tool_calls: [call] } : { role: 'assistant', content: said.words };
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ ...base, object: 'chat.completion', usage, choices: [{ index: 0, finish_reason: reason, message }] }));
        return;
      }
      const chunk = (choices, more = {}) => `data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices, ...more })}\n\n`;
      const delta = call ? { tool_calls: [{ index: 0, ...call }] } : { content: said.words };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk([{ index: 0, delta, finish_reason: null }]));
      response.write(chunk([{ index: 0, delta: {}, finish_reason: reason }]));
      response.end(`${chunk([], { usage })}data: [DONE]\n\n`);
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  server.unref();
  return { seen, url: `http://127.0.0.1:${server.address().port}/v1`, close: () => server.close() };
}
