#!/usr/bin/env python3
"""The official Python SDKs of OpenAI and Anthropic, pointed at Weft: what each gets of every provider behind it, whole and streamed.

Started by run.mjs, which says in the environment where Weft is (GATEWAY) and with which key (GATEWAY_KEY). Prints a line for each check,
and ends with 1 where one failed.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable

import anthropic
import openai
from pydantic import BaseModel

BASE, KEY = os.environ["GATEWAY"], os.environ["GATEWAY_KEY"]
OPENAI = openai.OpenAI(base_url=f"{BASE}/openai/v1", api_key=KEY, max_retries=0)
ANTHROPIC = anthropic.Anthropic(base_url=f"{BASE}/anthropic", api_key=KEY, max_retries=0)
ASK = [{"role": "user", "content": "What is this?"}]
SCHEMA = {"type": "object", "properties": {"at": {"type": "integer"}}, "required": ["at"]}
# What the scripted models say, and what LiteLLM says by itself.
LOOM, MOCKED = "A loom.", "A mocked loom."

failed: list[str] = []


def check(name: str, body: Callable[[], None]) -> None:
    try:
        body()
    except Exception:  # noqa: BLE001: each check is told, whatever it fails of
        failed.append(name)
        print(f"FAILED  {name}\n{traceback.format_exc(limit=-2)}", flush=True)
    else:
        print(f"ok      {name}", flush=True)


def same(found: object, expected: object) -> None:
    assert found == expected, f"expected {expected!r}, found {found!r}"


def chat(model: str, says: str) -> None:
    answer = OPENAI.chat.completions.create(model=model, messages=ASK)
    same(answer.choices[0].message.content, says)
    assert answer.usage and answer.usage.total_tokens > 0


def chat_streamed(model: str, says: str) -> None:
    stream = OPENAI.chat.completions.create(
        model=model, messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    same(text, says)
    same([chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1], "stop")
    assert chunks[-1].usage and chunks[-1].usage.completion_tokens > 0


def items(model: str, says: str) -> None:
    answer = OPENAI.responses.create(model=model, input="What is this?", instructions="You weave.")
    same((answer.output_text, answer.status), (says, "completed"))


def items_streamed(model: str, says: str) -> None:
    with OPENAI.responses.stream(model=model, input="What is this?") as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        last = stream.get_final_response()
    same((text, last.output_text, last.status), (says, says, "completed"))


def messages(model: str, says: str) -> None:
    answer = ANTHROPIC.messages.create(model=model, max_tokens=100, messages=ASK)
    same("".join(block.text for block in answer.content if block.type == "text"), says)
    same(answer.stop_reason, "end_turn")


def messages_streamed(model: str, says: str) -> None:
    with ANTHROPIC.messages.stream(model=model, max_tokens=100, messages=ASK) as stream:
        text = "".join(stream.text_stream)
        last = stream.get_final_message()
    same((text, last.stop_reason), (says, "end_turn"))


WAYS = [chat, chat_streamed, items, items_streamed, messages, messages_streamed]


def raises(kind: type[Exception], words: str, body: Callable[[], object]) -> None:
    try:
        body()
    except kind as error:
        assert words in str(error), f"expected {words!r} in {error}"
        return
    raise AssertionError(f"nothing was raised, where {kind.__name__} was expected")


def tool_of_openai(model: str) -> None:
    tools = [{"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": SCHEMA}}]
    turn = OPENAI.chat.completions.create(model=model, messages=ASK, tools=tools).choices[0]
    same(turn.finish_reason, "tool_calls")
    [call] = turn.message.tool_calls
    same((call.function.name, json.loads(call.function.arguments)), ("look", {"at": 1}))
    told = {"role": "tool", "tool_call_id": call.id, "content": "dark"}
    after = OPENAI.chat.completions.create(model=model, messages=[*ASK, turn.message, told])
    same(after.choices[0].message.content, LOOM)


def tool_of_anthropic(model: str) -> None:
    tools = [{"name": "look", "description": "Looks.", "input_schema": SCHEMA}]
    with ANTHROPIC.messages.stream(model=model, max_tokens=100, messages=ASK, tools=tools) as stream:
        turn = stream.get_final_message()
    [use] = [block for block in turn.content if block.type == "tool_use"]
    same((turn.stop_reason, use.name, use.input), ("tool_use", "look", {"at": 1}))
    told = {"type": "tool_result", "tool_use_id": use.id, "content": "dark"}
    turns = [*ASK, {"role": "assistant", "content": turn.content}, {"role": "user", "content": [told]}]
    after = ANTHROPIC.messages.create(model=model, max_tokens=100, messages=turns)
    same(after.content[0].text, LOOM)


def thoughts_survive() -> None:
    first = OPENAI.responses.create(model="items", input="Think.", reasoning={"effort": "low", "summary": "auto"})
    [thought] = [item for item in first.output if item.type == "reasoning"]
    same(thought.encrypted_content, "c2VhbGVk")
    turns = [{"role": "user", "content": "Think."}, *first.output, {"role": "user", "content": "Again."}]
    same(OPENAI.responses.create(model="items", input=turns).output_text, LOOM)


class Said(BaseModel):
    """What no scripted model says."""

    at: int


def a_schema_is_taken() -> None:
    # The model says no JSON: what counts is that the helper's request is taken, and that its own check finds that.
    raises(Exception, "Said", lambda: OPENAI.chat.completions.parse(model="chat", messages=ASK, response_format=Said))


def vectors(model: str) -> None:
    answer = OPENAI.embeddings.create(model=model, input=["a", "b"])
    same([one.embedding for one in answer.data], [[0.5, -0.25, 0.0], [0.5, -0.25, 1.0]])


def names() -> None:
    assert {"chat", "opus", "llama3.2:1b"} <= {model.id for model in OPENAI.models.list()}
    assert "opus" in {model.id for model in ANTHROPIC.models.list()}


def counted() -> None:
    same(ANTHROPIC.messages.count_tokens(model="opus", messages=ASK).input_tokens, 2095)
    same(OPENAI.responses.input_tokens.count(model="gpt-4o", input="hello world").input_tokens, 9)


def strangers_are_refused() -> None:
    stranger = openai.OpenAI(base_url=f"{BASE}/openai/v1", api_key="weft_gw_none", max_retries=0)
    raises(openai.AuthenticationError, "", lambda: stranger.models.list())
    other = anthropic.Anthropic(base_url=f"{BASE}/anthropic", api_key="weft_gw_none", max_retries=0)
    raises(anthropic.AuthenticationError, "", lambda: other.messages.create(model="opus", max_tokens=9, messages=ASK))


def one(way: Callable[[str, str], None], model: str, says: str) -> Callable[[], None]:
    return lambda: way(model, says)


for way in WAYS:
    for model in ["chat", "items", "llama3.2:1b", "opus"]:
        check(f"{way.__name__} of {model}, a scripted model", one(way, model, LOOM))
# LiteLLM in each of the dialects that it speaks, before models in another.
for provider in ["lite", "litems", "liteanth"]:
    for behind in ["mock", "native", "claude"]:
        for way in WAYS:
            check(f"{way.__name__} of {provider}/{behind}, through LiteLLM", one(way, f"{provider}/{behind}", LOOM))
# What LiteLLM says without asking anybody: streamed it does so in Chat Completions alone.
for way in WAYS:
    check(f"{way.__name__} of lite/said, LiteLLM's own", one(way, "lite/said", MOCKED))
check("chat of liteanth/said, LiteLLM's own", one(chat, "liteanth/said", MOCKED))
check("messages of liteanth/said, LiteLLM's own", one(messages, "liteanth/said", MOCKED))

# Not lite/claude and liteanth/native: there LiteLLM gives the scripted model a tool of its own, or asks on a wire on which it uses none.
for model in ["chat", "opus", "lite/mock", "lite/native", "liteanth/mock", "liteanth/claude"]:
    check(f"a tool over the SDK of OpenAI, {model}", lambda model=model: tool_of_openai(model))
    check(f"a tool over the SDK of Anthropic, {model}", lambda model=model: tool_of_anthropic(model))
for model in ["vec", "lite/vec"]:
    check(f"vectors of {model}", lambda model=model: vectors(model))
check("what a model thought is sent back to it", thoughts_survive)
check("a schema of pydantic is taken", a_schema_is_taken)
check("the lists of models", names)
check("tokens are counted", counted)
check("who has no key is refused in the words of each SDK", strangers_are_refused)
for provider in ["lite", "liteanth"]:
    check(f"{provider} fails: OpenAI", lambda p=provider: raises(
        openai.InternalServerError, p, lambda: OPENAI.chat.completions.create(model=f"{p}/fails", messages=ASK)))
    check(f"{provider} fails: Anthropic", lambda p=provider: raises(
        anthropic.InternalServerError, p, lambda: ANTHROPIC.messages.create(model=f"{p}/fails", max_tokens=9, messages=ASK)))
    check(f"{provider} has too many: OpenAI", lambda p=provider: raises(
        openai.RateLimitError, p, lambda: OPENAI.chat.completions.create(model=f"{p}/limited", messages=ASK)))
    check(f"{provider} has too many: Anthropic", lambda p=provider: raises(
        anthropic.RateLimitError, p, lambda: ANTHROPIC.messages.create(model=f"{p}/limited", max_tokens=9, messages=ASK)))

print(f"{len(failed)} failed" if failed else "all is well", flush=True)
sys.exit(bool(failed))
