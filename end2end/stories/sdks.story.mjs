// Programs that we did not write, pointed at Weft: the official SDKs of OpenAI and Anthropic, on every wire that it speaks.

import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { story } from '../harness.mjs';
import { modelServer } from '../models.mjs';

const PRIVATE = { env: { WEFT_ALLOW_PRIVATE: '127.0.0.1/32' } };
const LOOK = { type: 'function', name: 'look', description: 'Looks.', parameters: { type: 'object', properties: { at: { type: 'integer' } } }, strict: false };

/** A server with a provider of each wire behind it, and both SDKs with a key of it. */
async function pointed(server) {
  const models = await modelServer();
  await server.setUp();
  const token = await server.token();
  const add = (name, kind, base_url, list, more = {}) =>
    server.api('POST', '/api/v1/providers', {
      token,
      body: { name, kind, base_url, models: list.map((id) => ({ id })), limits: { max_retries: 0 }, ...more },
    });
  await add('acme', 'open_ai_compatible', `${models.url}/v1`, ['chat', 'vec', 'gpt-4o']);
  await add('far', 'open_ai_compatible', `${models.url}/v1`, ['items'], { responses: true });
  await add('local', 'ollama', models.url, ['llama3.2:1b']);
  await add('claude', 'anthropic', models.url, ['opus'], { credential: 'sk-ant-secret' });
  const key = await server.api('POST', '/api/v1/gateway/keys', { token, body: { name: 'SDKs' } });
  const base = `${server.url}/api/v1/gateway`;
  const openai = new OpenAI({ baseURL: `${base}/openai/v1`, apiKey: key.secret, maxRetries: 0 });
  const anthropic = new Anthropic({ baseURL: `${base}/anthropic`, apiKey: key.secret, maxRetries: 0 });
  return { models, openai, anthropic, token };
}

story('the OpenAI SDK speaks Responses to every provider', PRIVATE, async ({ server }) => {
  const { models, openai } = await pointed(server);
  for (const model of ['chat', 'items', 'llama3.2:1b']) {
    const answer = await openai.responses.create({ model, input: 'What is this?', instructions: 'You weave.' });
    assert.equal(answer.output_text, 'A loom.', model);
    assert.equal(answer.status, 'completed');
    assert.equal(answer.store, false);
    assert.equal(answer.instructions, 'You weave.');

    // The helper follows each event, and builds the answer from them.
    let text = '';
    const numbers = [];
    const stream = openai.responses
      .stream({ model, input: [{ role: 'user', content: 'What is this?' }] })
      .on('event', (event) => numbers.push(event.sequence_number))
      .on('response.output_text.delta', (event) => (text += event.delta));
    const last = await stream.finalResponse();
    assert.equal(text, 'A loom.', model);
    assert.equal(last.output_text, 'A loom.');
    assert.ok(last.usage.total_tokens > 0);
    assert.deepEqual(numbers, numbers.map((_, index) => index));
  }
  const sent = models.seen.map((request) => request.path);
  assert.deepEqual(sent, ['/v1/chat/completions', '/v1/chat/completions', '/v1/responses', '/v1/responses', '/api/chat', '/api/chat']);
});

story('tools, thoughts and refusals over the OpenAI SDK', PRIVATE, async ({ server }) => {
  const { models, openai } = await pointed(server);
  const asked = await openai.responses.create({ model: 'chat', input: 'Look.', tools: [LOOK] });
  const [call] = asked.output;
  assert.deepEqual([call.type, call.name, JSON.parse(call.arguments)], ['function_call', 'look', { at: 1 }]);
  const stream = openai.responses.stream({ model: 'chat', input: 'Look.', tools: [LOOK] });
  assert.equal((await stream.finalResponse()).output[0].call_id, 'call_1');
  const output = { type: 'function_call_output', call_id: call.call_id, output: 'dark' };
  await openai.responses.create({ model: 'chat', input: [{ role: 'user', content: 'Look.' }, ...asked.output, output] });
  assert.deepEqual(models.seen.at(-1).body.messages.map((message) => message.role), ['user', 'assistant', 'tool']);

  // What a model thought is sent back to it as it came.
  const thought = await openai.responses.create({ model: 'items', input: 'Think.', reasoning: { effort: 'low', summary: 'auto' } });
  await openai.responses.create({ model: 'items', input: [{ role: 'user', content: 'Think.' }, ...thought.output, { role: 'user', content: 'Again.' }] });
  const back = models.seen.at(-1).body;
  assert.equal(back.input[1].encrypted_content, 'c2VhbGVk');
  assert.equal(back.store, false);

  const refused = (promise, status, words) => assert.rejects(promise, (error) => {
    assert.equal(error.status, status);
    assert.match(error.message, words);
    return true;
  });
  await refused(openai.responses.create({ model: 'chat', input: 'x', previous_response_id: thought.id }), 400, /previous_response_id.*not kept/);
  await refused(openai.responses.create({ model: 'chat', input: 'x', background: true }), 400, /background/);
  await refused(openai.responses.create({ model: 'chat', input: 'x', tools: [{ type: 'web_search' }] }), 400, /web_search/);
  await refused(openai.responses.create({ model: 'none', input: 'x' }), 404, /none/);

  models.breaks = true;
  await refused(openai.responses.create({ model: 'chat', input: 'x' }), 502, /on fire/);
  const events = [];
  for await (const event of await openai.responses.create({ model: 'items', input: 'x', stream: true })) events.push(event);
  assert.equal(events.at(-1).type, 'response.failed');
  assert.match(events.at(-1).response.error.message, /^far: /);
});

story('vectors and counted tokens over the SDKs', PRIVATE, async ({ server }) => {
  const { models, openai, anthropic } = await pointed(server);
  // The SDK asks for base64 by itself, and reads it back.
  const vectors = await openai.embeddings.create({ model: 'vec', input: ['a', 'b'] });
  assert.deepEqual(vectors.data.map((one) => one.embedding), [[0.5, -0.25, 0], [0.5, -0.25, 1]]);
  const plain = await openai.embeddings.create({ model: 'vec', input: 'a', encoding_format: 'float', dimensions: 3 });
  assert.deepEqual(plain.data[0].embedding, [0.5, -0.25, 0]);
  assert.equal(models.seen.at(-1).body.dimensions, 3);
  await assert.rejects(openai.embeddings.create({ model: 'opus', input: 'a' }), /Anthropic has no model that makes vectors/);

  const messages = [{ role: 'user', content: 'What is this?' }];
  assert.equal((await anthropic.messages.countTokens({ model: 'opus', messages })).input_tokens, 2095);
  const { data, response } = await anthropic.messages.countTokens({ model: 'chat', messages }).withResponse();
  assert.equal(response.headers.get('x-weft-count'), 'estimate');
  assert.ok(data.input_tokens > 0);
  // A model whose vocabulary is published is counted by it.
  const counted = await openai.responses.inputTokens.count({ model: 'gpt-4o', input: 'hello world' }).withResponse();
  assert.deepEqual([counted.data.object, counted.data.input_tokens], ['response.input_tokens', 9]);
  assert.equal(counted.response.headers.get('x-weft-count'), 'tokenizer');

  const said = await anthropic.messages.create({ model: 'llama3.2:1b', max_tokens: 100, messages });
  assert.equal(said.content[0].text, 'A loom.');
  const final = await anthropic.messages.stream({ model: 'llama3.2:1b', max_tokens: 100, messages }).finalMessage();
  assert.deepEqual([final.content[0].text, final.usage.output_tokens], ['A loom.', 282]);
});
