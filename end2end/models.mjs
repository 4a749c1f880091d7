// A model server on loopback that speaks every wire of the gateway's, by a script: it says "A loom." to everything, uses a tool where
// it is given one, and breaks off in the middle of a stream where it is asked to.

import { createServer } from 'node:http';

const WORDS = ['A ', 'loom.'];

/** What it answers, by path: the whole, or the events of a stream. `ask` is the body that came. */
const wires = {
  '/v1/chat/completions': (ask) => {
    const usage = { prompt_tokens: 1000, completion_tokens: 10, total_tokens: 1010 };
    const base = { id: 'chatcmpl-1', created: 1, model: 'big' };
    const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } };
    const reason = ask.tools ? 'tool_calls' : 'stop';
    if (!ask.stream) {
      const message = ask.tools ? { role: 'assistant', content: null, tool_calls: [call] } : { role: 'assistant', content: WORDS.join('') };
      return { ...base, object: 'chat.completion', usage, choices: [{ index: 0, finish_reason: reason, message }] };
    }
    const chunk = (choices, more) => ({ data: { ...base, object: 'chat.completion.chunk', choices, ...more } });
    const pieces = ask.tools ? [{ tool_calls: [{ index: 0, ...call }] }] : WORDS.map((content) => ({ content }));
    return [
      ...pieces.map((delta) => chunk([{ index: 0, delta, finish_reason: null }])),
      chunk([{ index: 0, delta: {}, finish_reason: reason }]),
      chunk([], { usage }),
      { data: '[DONE]' },
    ];
  },
  '/v1/responses': (ask) => {
    const usage = {
      input_tokens: 1000, input_tokens_details: { cached_tokens: 0 }, output_tokens: 10, output_tokens_details: { reasoning_tokens: 5 },
      total_tokens: 1010,
    };
    const thought = { id: 'rs_1', type: 'reasoning', encrypted_content: 'c2VhbGVk', summary: [{ type: 'summary_text', text: 'A loom?' }] };
    const text = { type: 'output_text', text: WORDS.join(''), annotations: [] };
    const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [text] };
    const whole = { id: 'resp_1', object: 'response', created_at: 1, model: 'big', status: 'completed', output: [thought, message], usage };
    if (!ask.stream) return whole;
    const place = { item_id: 'msg_1', output_index: 1, content_index: 0 };
    const events = [
      { type: 'response.created', response: { ...whole, status: 'in_progress', output: [], usage: null } },
      { type: 'response.output_item.added', output_index: 0, item: { ...thought, encrypted_content: null, summary: [] } },
      { type: 'response.reasoning_summary_part.added', item_id: 'rs_1', output_index: 0, summary_index: 0, part: { type: 'summary_text', text: '' } },
      { type: 'response.reasoning_summary_text.delta', item_id: 'rs_1', output_index: 0, summary_index: 0, delta: 'A loom?' },
      { type: 'response.output_item.done', output_index: 0, item: thought },
      { type: 'response.output_item.added', output_index: 1, item: { ...message, status: 'in_progress', content: [] } },
      { type: 'response.content_part.added', ...place, part: { ...text, text: '' } },
      ...WORDS.map((delta) => ({ type: 'response.output_text.delta', ...place, delta })),
      { type: 'response.content_part.done', ...place, part: text },
      { type: 'response.output_item.done', output_index: 1, item: message },
      { type: 'response.completed', response: whole },
    ];
    return events.map((data, sequence_number) => ({ event: data.type, data: { ...data, sequence_number } }));
  },
  '/v1/embeddings': (ask) => {
    const count = Array.isArray(ask.input) ? ask.input.length : 1;
    const data = Array.from({ length: count }, (_, index) => ({ object: 'embedding', index, embedding: [0.5, -0.25, index] }));
    return { object: 'list', model: 'big', data, usage: { prompt_tokens: 8, total_tokens: 8 } };
  },
  '/v1/messages': (ask) => {
    const [whole, events] = message(ask.tools ? { tool: 'look', input: { at: 1 } } : { words: WORDS.join('') }, 1);
    return ask.stream ? events : whole;
  },
  '/v1/messages/count_tokens': () => ({ input_tokens: 2095 }),
  '/api/tags': () => ({ models: [{ name: 'llama3.2:1b' }, { name: 'all-minilm:22m' }] }),
  '/api/chat': (ask) => {
    const piece = (content, done) => ({
      model: ask.model, created_at: '2026-11-21T19:22:45.1Z', message: { role: 'assistant', content }, done,
      ...(done && { done_reason: 'stop', prompt_eval_count: 26, eval_count: 282 }),
    });
    return ask.stream ? [...WORDS.map((content) => ({ line: piece(content, false) })), { line: piece('', true) }] : piece(WORDS.join(''), true);
  },
};

const write = ({ event, data, line }) => {
  if (line) return `${JSON.stringify(line)}\n`;
  return `${event ? `event: ${event}\n` : ''}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
};

/**
 * Starts one. `seen` are the requests that came; while `breaks` is set, streams break off after their first words, and
 * whole answers fail.
 */
export async function modelServer() {
  const state = { seen: [], breaks: false };
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part)).on('end', () => {
      const body = JSON.parse(Buffer.concat(parts).toString() || '{}');
      state.seen.push({ path: request.url, headers: request.headers, body });
      const said = wires[request.url]?.(body);
      if (!said || (state.breaks && !Array.isArray(said))) {
        response.writeHead(said ? 500 : 404, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: { message: said ? 'the machine is on fire' : 'no such path' } }));
        return;
      }
      if (!Array.isArray(said)) {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(said));
        return;
      }
      response.writeHead(200, { 'content-type': said[0].line ? 'application/x-ndjson' : 'text/event-stream' });
      if (!state.breaks) return void response.end(said.map(write).join(''));
      const begun = said.findIndex((piece) => JSON.stringify(piece).includes(WORDS[0])) + 1;
      response.write(said.slice(0, begun).map(write).join(''), () => response.destroy());
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  server.unref();
  return Object.assign(state, { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() });
}

/** An answer of a script in Chat Completions: `[whole, events of a stream]`. */
function completion(said, number) {
  const call = said.tool && { id: `call_${number}`, type: 'function', function: { name: said.tool, arguments: JSON.stringify(said.input) } };
  const reason = call ? 'tool_calls' : 'stop';
  const usage = { prompt_tokens: 1000, completion_tokens: 10, total_tokens: 1010 };
  const base = { id: 'c1', created: 1, model: 'big' };
  const message = call ? { role: 'assistant', content: null, tool_calls: [call] } : { role: 'assistant', content: said.words };
  const chunk = (choices, more) => ({ data: { ...base, object: 'chat.completion.chunk', choices, ...more } });
  const delta = call ? { tool_calls: [{ index: 0, ...call }] } : { content: said.words };
  return [
    { ...base, object: 'chat.completion', usage, choices: [{ index: 0, finish_reason: reason, message }] },
    [
      chunk([{ index: 0, delta, finish_reason: null }]),
      chunk([{ index: 0, delta: {}, finish_reason: reason }]),
      chunk([], { usage }),
      { data: '[DONE]' },
    ],
  ];
}

/** The same in Messages. */
function message(said, number) {
  const call = said.tool && { type: 'tool_use', id: `toolu_${number}`, name: said.tool, input: said.input };
  const block = call ?? { type: 'text', text: said.words };
  const usage = { input_tokens: 1000, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 10 };
  const whole = {
    id: `msg_${number}`, type: 'message', role: 'assistant', model: 'big', content: [block], stop_reason: call ? 'tool_use' : 'end_turn',
    stop_sequence: null, usage,
  };
  const delta = call ? { type: 'input_json_delta', partial_json: JSON.stringify(said.input) } : { type: 'text_delta', text: said.words };
  const events = [
    { type: 'message_start', message: { ...whole, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: call ? { ...call, input: {} } : { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: whole.stop_reason, stop_sequence: null }, usage: { output_tokens: 10 } },
    { type: 'message_stop' },
  ];
  return [whole, events.map((data) => ({ event: data.type, data }))];
}

/**
 * A model server on loopback that says what it is told to, one answer a call: words, or the call of a tool. It speaks Chat
 * Completions at `url`, and Messages to an `anthropic` provider at `bare`.
 */
export async function scripted(answers) {
  const seen = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => (text += part));
    request.on('end', () => {
      const ask = JSON.parse(text);
      const said = answers[Math.min(seen.push(ask), answers.length) - 1];
      const [whole, events] = (request.url.endsWith('/messages') ? message : completion)(said, seen.length);
      response.writeHead(200, { 'content-type': ask.stream ? 'text/event-stream' : 'application/json' });
      response.end(ask.stream ? events.map(write).join('') : JSON.stringify(whole));
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  server.unref();
  const bare = `http://127.0.0.1:${server.address().port}`;
  return { seen, bare, url: `${bare}/v1`, close: () => server.close() };
}
