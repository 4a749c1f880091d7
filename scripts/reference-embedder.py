#!/usr/bin/env python3
"""Vectors of texts by a model's folder, computed with numpy and the tokenizers package alone: what src/memory/local is held against.

    reference-embedder.py FOLDER [--round N]     lines of text in, lines of JSON out: one vector for each
    reference-embedder.py --tiny FOLDER          writes the model of src/memory/local/tests.rs
    reference-embedder.py --compare A B          the cosine of each pair of lines of two files of vectors, and the lowest

Needs `pip install numpy tokenizers`. Everything is computed in 64 bits, a text at a time, by the formulas of the papers.
"""

import argparse
import json
import math
import struct
import sys
from pathlib import Path

import numpy as np

TINY = {
    "model_type": "bert", "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16,
    "vocab_size": 12, "max_position_embeddings": 16, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
}
TINY_WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "loom", "##s", "weave", "##r", "thread", "cafe", "!"]


def tensors_of(config):
    """Names and shapes in the order in which the tiny model's numbers are drawn."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    yield "embeddings.word_embeddings.weight", (config["vocab_size"], hidden)
    yield "embeddings.position_embeddings.weight", (config["max_position_embeddings"], hidden)
    yield "embeddings.token_type_embeddings.weight", (config["type_vocab_size"], hidden)
    yield from norm("embeddings.LayerNorm", hidden)
    for layer in range(config["num_hidden_layers"]):
        of = f"encoder.layer.{layer}."
        for name in ("query", "key", "value"):
            yield from dense(f"{of}attention.self.{name}", hidden, hidden)
        yield from dense(f"{of}attention.output.dense", hidden, hidden)
        yield from norm(f"{of}attention.output.LayerNorm", hidden)
        yield from dense(f"{of}intermediate.dense", inner, hidden)
        yield from dense(f"{of}output.dense", hidden, inner)
        yield from norm(f"{of}output.LayerNorm", hidden)


def dense(name, into, out_of):
    yield f"{name}.weight", (into, out_of)
    yield f"{name}.bias", (into,)


def norm(name, count):
    yield f"{name}.weight", (count,)
    yield f"{name}.bias", (count,)


def write_tiny(folder):
    """Knuth's linear congruential generator from 1; 24 bits of each state make a number from -0.25 to 0.25."""
    state, header, data = 1, {}, bytearray()
    for name, shape in tensors_of(TINY):
        numbers = []
        for _ in range(math.prod(shape)):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            number = ((state >> 40) / 2**24 - 0.5) * 0.5
            numbers.append(number + 1 if name.endswith("LayerNorm.weight") else number)
        start = len(data)
        data += struct.pack(f"<{len(numbers)}f", *numbers)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, len(data)]}
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    (folder / "config.json").write_text(json.dumps(TINY))
    (folder / "vocab.txt").write_text("\n".join(TINY_WORDS) + "\n")


class Model:
    def __init__(self, folder):
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = read_weights(folder / "model.safetensors")
        most = self.config["max_position_embeddings"]
        limits = folder / "sentence_bert_config.json"
        if limits.exists():
            most = min(most, json.loads(limits.read_text()).get("max_seq_length") or most)
        self.tokenizer = tokenizer_of(folder)
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(min(most, 512))

    def dense(self, name, rows):
        return rows @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def norm(self, name, rows):
        centred = rows - rows.mean(axis=1, keepdims=True)
        variance = (centred**2).mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt(variance + self.config["layer_norm_eps"])
        return scaled * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def vector(self, text):
        tokens = self.tokenizer.encode(text).ids
        heads = self.config["num_attention_heads"]
        rows = self.weights["embeddings.word_embeddings.weight"][tokens]
        rows = rows + self.weights["embeddings.position_embeddings.weight"][: len(tokens)]
        rows = self.norm("embeddings.LayerNorm", rows + self.weights["embeddings.token_type_embeddings.weight"][0])
        for layer in range(self.config["num_hidden_layers"]):
            of = f"encoder.layer.{layer}."
            query, key, value = (
                np.split(self.dense(f"{of}attention.self.{name}", rows), heads, axis=1) for name in ("query", "key", "value")
            )
            parts = []
            for q, k, v in zip(query, key, value):
                scores = q @ k.T / math.sqrt(q.shape[1])
                shares = np.exp(scores - scores.max(axis=1, keepdims=True))
                parts.append(shares / shares.sum(axis=1, keepdims=True) @ v)
            attended = self.dense(f"{of}attention.output.dense", np.concatenate(parts, axis=1))
            rows = self.norm(f"{of}attention.output.LayerNorm", rows + attended)
            inner = self.dense(f"{of}intermediate.dense", rows)
            inner = inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
            rows = self.norm(f"{of}output.LayerNorm", rows + self.dense(f"{of}output.dense", inner))
        mean = rows.mean(axis=0)
        return mean / np.linalg.norm(mean)


def read_weights(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header, start = json.loads(data[8 : 8 + length]), 8 + length
    kinds = {"F32": np.float32, "F16": np.float16, "I64": np.int64}
    weights = {}
    for name, place in header.items():
        if name != "__metadata__":
            begin, end = place["data_offsets"]
            numbers = np.frombuffer(data[start + begin : start + end], dtype=kinds[place["dtype"]])
            weights[name] = numbers.reshape(place["shape"]).astype(np.float64)
    return weights


def tokenizer_of(folder):
    from tokenizers import BertWordPieceTokenizer, Tokenizer

    if (folder / "tokenizer.json").exists():
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    words = (folder / "vocab.txt").read_text().splitlines()
    return BertWordPieceTokenizer(vocab={word: at for at, word in enumerate(words)}, lowercase=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--tiny", type=Path)
    parser.add_argument("--compare", type=Path, nargs=2)
    parser.add_argument("--round", type=int, default=9)
    arguments = parser.parse_args()
    if arguments.tiny:
        write_tiny(arguments.tiny)
    elif arguments.compare:
        read = lambda path: [np.array(json.loads(line), dtype=np.float64) for line in path.read_text().splitlines()]
        one, other = (read(path) for path in arguments.compare)
        assert len(one) == len(other), f"{len(one)} and {len(other)} vectors"
        cosines = [float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in zip(one, other)]
        print("\n".join(f"{cosine:.9f}" for cosine in cosines))
        print(f"lowest of {len(cosines)}: {min(cosines):.9f}")
    elif arguments.folder:
        model = Model(arguments.folder)
        for line in sys.stdin.read().splitlines():
            print(json.dumps([round(float(number), arguments.round) for number in model.vector(line)]))
    else:
        parser.error("expected a folder, --tiny or --compare")


if __name__ == "__main__":
    main()
