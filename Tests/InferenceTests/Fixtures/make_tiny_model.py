#!/usr/bin/env python3
"""Makes tiny.gguf: a llama model with random weights, small enough for unit tests.

Two layers of width 64, 32-bit weights, a byte-level BPE vocabulary of about 320 tokens trained on the text below. The same
script gives the same file. Needs the PyPI packages gguf 0.19.0 and numpy:

    python3 make_tiny_model.py tiny.gguf
"""

import re
import sys
from collections import Counter

import gguf
import numpy

WIDTH, LAYERS, HEADS, CACHE_HEADS, INNER, CONTEXT = 64, 2, 4, 2, 128, 512
MERGES = 60
CORPUS = """The quick brown fox jumps over the lazy dog while the other animals of the forest are watching from
the shade of the tall trees. A man is standing in the kitchen and is talking to the camera; then he takes
a bowl and puts the flour, the sugar and the eggs into it. The question is what the answer to the question
will be when the person who asked it is no longer there to hear the answer."""


def byte_alphabet():
    """The printable stand-ins that byte-level BPE uses for bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    codes, extra = {b: b for b in printable}, 0
    for byte in range(256):
        if byte not in codes:
            codes[byte] = 256 + extra
            extra += 1
    return {byte: chr(code) for byte, code in codes.items()}


def train_merges(alphabet):
    words = Counter(
        tuple(alphabet[b] for b in word.encode()) for word in re.findall(r" ?\w+| ?[^\w\s]+|\s+", CORPUS))
    merges = []
    for _ in range(MERGES):
        pairs = Counter()
        for word, count in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += count
        best = max(sorted(pairs), key=lambda pair: pairs[pair])
        merges.append(best)
        merged = Counter()
        for word, count in words.items():
            out, i = [], 0
            while i < len(word):
                if word[i:i + 2] == best:
                    out.append(word[i] + word[i + 1])
                    i += 2
                else:
                    out.append(word[i])
                    i += 1
            merged[tuple(out)] += count
        words = merged
    return merges


def main(path):
    alphabet = byte_alphabet()
    merges = train_merges(alphabet)
    specials = ["<|endoftext|>", "<|im_end|>"]
    tokens = specials + [alphabet[b] for b in range(256)]
    tokens += [t for t in dict.fromkeys(a + b for a, b in merges) if t not in tokens]
    types = [gguf.TokenType.CONTROL] * len(specials) + [gguf.TokenType.NORMAL] * (len(tokens) - len(specials))

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(CACHE_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([f"{a} {b}" for a, b in merges])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.add_eot_token_id(1)
    writer.add_add_bos_token(True)
    writer.add_chat_template("{% for message in messages %}{{ message.content }}{% endfor %}")

    random = numpy.random.RandomState(20240607)

    def weights(name, rows, columns, scale):
        writer.add_tensor(name, (random.standard_normal((rows, columns)) * scale).astype(numpy.float32))

    weights("token_embd.weight", len(tokens), WIDTH, 0.4)
    writer.add_tensor("output_norm.weight", numpy.ones(WIDTH, dtype=numpy.float32))
    head = WIDTH // HEADS
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        writer.add_tensor(block + "attn_norm.weight", numpy.ones(WIDTH, dtype=numpy.float32))
        writer.add_tensor(block + "ffn_norm.weight", numpy.ones(WIDTH, dtype=numpy.float32))
        weights(block + "attn_q.weight", WIDTH, WIDTH, 0.2)
        weights(block + "attn_k.weight", head * CACHE_HEADS, WIDTH, 0.2)
        weights(block + "attn_v.weight", head * CACHE_HEADS, WIDTH, 0.2)
        weights(block + "attn_output.weight", WIDTH, WIDTH, 0.2)
        weights(block + "ffn_gate.weight", INNER, WIDTH, 0.15)
        weights(block + "ffn_up.weight", INNER, WIDTH, 0.15)
        weights(block + "ffn_down.weight", WIDTH, INNER, 0.15)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main(sys.argv[1])
