"""Writes small models with random weights for the tokenizers that llama.cpp is tested with, each as two programs read it.

    python3 random_models.py VOCABULARIES FOLDER    # VOCABULARIES: where infra/test unpacks ggml-vocab-*.gguf

Needs the PyPI packages gguf 0.19.0, numpy, safetensors 0.8.0, tokenizers and transformers 5. For every family FOLDER gets
NAME.gguf, and in NAME/ the same model for transformers: the same 32-bit weights, and the tokenizer that peer.py makes of the
vocabulary. The same vocabularies give the same weights, since the seed is the family's name.

The models have two layers. Two are of their family's own architecture; the others are Llama models, since llama.cpp computes
the GELU of GPT-2 and Gemma with 16 bits.
"""

import json
import os
import sys
import zlib

import gguf
import numpy
from safetensors.numpy import save_file
from tokenizers import processors
from transformers import PreTrainedTokenizerFast

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "InferenceTests", "Fixtures", "tokenizers"))
import peer

WIDTH, LAYERS, HEADS, KEY_HEADS, INNER, CONTEXT = 64, 2, 4, 2, 160, 2048
HEAD = WIDTH // HEADS

# Vocabulary, architecture, whether the output has the weights of the input, base of the rotations, epsilon of the norms.
FAMILIES = {
    "llama-2": ("llama-spm", "llama", False, 10000.0, 1e-5),
    "llama-3": ("llama-bpe", "llama", False, 500000.0, 1e-5),
    "qwen2": ("qwen2", "qwen2", True, 1000000.0, 1e-6),
    "phi-3": ("phi-3", "phi3", False, 10000.0, 1e-5),
    "gpt-2": ("gpt-2", "llama", True, 10000.0, 1e-5),
    "gemma-4": ("gemma-4", "llama", True, 10000.0, 1e-6),
    "deepseek": ("deepseek-llm", "llama", False, 10000.0, 1e-6),
}
CLASSES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "phi3": "Phi3ForCausalLM"}


class Weights:
    """Random matrices, each under its two names."""

    def __init__(self, seed):
        self.random = numpy.random.RandomState(seed)
        self.tensors, self.huggingface = {}, {}

    def normal(self, *shape, scale):
        return (self.random.standard_normal(shape) * scale).astype(numpy.float32)

    def add(self, name, huggingface, array, other=None):
        """`other` is the array for transformers where rows have another order there."""
        self.tensors[name] = array
        self.huggingface[huggingface] = array if other is None else other

    def matrix(self, name, huggingface, rows, columns, scale=1.0):
        self.add(name + ".weight", huggingface + ".weight", self.normal(rows, columns, scale=scale * columns**-0.5))

    def norm(self, name, huggingface):
        self.add(name + ".weight", huggingface + ".weight", 1 + self.normal(WIDTH, scale=0.2))


def permuted(array, heads):
    """The rows of a query or key matrix as llama.cpp wants them of Llama models: the two numbers of a rotation side by side."""
    return array.reshape(heads, 2, HEAD // 2, -1).swapaxes(1, 2).reshape(array.shape)


def weights_of(architecture, size, is_tied, seed):
    weights = Weights(seed)
    weights.add("token_embd.weight", "model.embed_tokens.weight", weights.normal(size, WIDTH, scale=0.4))
    for layer in range(LAYERS):
        ours, theirs = f"blk.{layer}.", f"model.layers.{layer}."
        weights.norm(ours + "attn_norm", theirs + "input_layernorm")
        weights.norm(ours + "ffn_norm", theirs + "post_attention_layernorm")
        # Of more weight than usual, so that attention does choose.
        parts = {"q": HEADS, "k": KEY_HEADS, "v": KEY_HEADS}
        if architecture == "phi3":
            weights.matrix(ours + "attn_qkv", theirs + "self_attn.qkv_proj", sum(parts.values()) * HEAD, WIDTH, 1.5)
            weights.matrix(ours + "ffn_up", theirs + "mlp.gate_up_proj", 2 * INNER, WIDTH)
        else:
            for part, heads in parts.items():
                array = weights.normal(heads * HEAD, WIDTH, scale=1.5 * WIDTH**-0.5)
                turns = architecture == "llama" and part != "v"
                name, huggingface = f"{ours}attn_{part}", f"{theirs}self_attn.{part}_proj"
                weights.add(name + ".weight", huggingface + ".weight", permuted(array, heads) if turns else array, array)
                if architecture == "qwen2":
                    weights.add(name + ".bias", huggingface + ".bias", weights.normal(heads * HEAD, scale=0.5))
            weights.matrix(ours + "ffn_gate", theirs + "mlp.gate_proj", INNER, WIDTH)
            weights.matrix(ours + "ffn_up", theirs + "mlp.up_proj", INNER, WIDTH)
        weights.matrix(ours + "attn_output", theirs + "self_attn.o_proj", WIDTH, WIDTH)
        weights.matrix(ours + "ffn_down", theirs + "mlp.down_proj", WIDTH, INNER, 2)
    weights.norm("output_norm", "model.norm")
    if not is_tied:
        weights.add("output.weight", "lm_head.weight", weights.normal(size, WIDTH, scale=0.4))
    return weights


def typed(name, value):
    """The types of a value of a vocabulary's metadata."""
    kinds = {bool: gguf.GGUFValueType.BOOL, int: gguf.GGUFValueType.UINT32, str: gguf.GGUFValueType.STRING}
    if isinstance(value, list):
        kinds |= {int: gguf.GGUFValueType.INT32, float: gguf.GGUFValueType.FLOAT32}
        return gguf.GGUFValueType.ARRAY, kinds[type(value[0])]
    return kinds[type(value)], None


def write_gguf(path, family, fields, weights):
    vocabulary, architecture, _, base, epsilon = FAMILIES[family]
    writer = gguf.GGUFWriter(path, architecture)
    # llama.cpp goes by the name of Phi-3.
    writer.add_name(fields["general.name"] if family == "phi-3" else family)
    writer.add_file_type(int(gguf.LlamaFileType.ALL_F32))
    writer.add_vocab_size(len(fields["tokenizer.ggml.tokens"]))
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_layer_norm_rms_eps(epsilon)
    writer.add_rope_freq_base(base)
    writer.add_rope_dimension_count(HEAD)
    for name, value in fields.items():
        if name.startswith("tokenizer."):
            writer.add_key_value(name, value, *typed(name, value))
    for name, array in weights.tensors.items():
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_huggingface(folder, family, fields, weights, vocabulary):
    _, architecture, is_tied, base, epsilon = FAMILIES[family]
    os.makedirs(folder, exist_ok=True)
    save_file(weights.huggingface, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    config = {
        "architectures": [CLASSES[architecture]], "model_type": architecture, "dtype": "float32", "hidden_act": "silu",
        "hidden_size": WIDTH, "intermediate_size": INNER, "max_position_embeddings": CONTEXT, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "num_key_value_heads": KEY_HEADS, "rms_norm_eps": epsilon, "rope_theta": base,
        "original_max_position_embeddings": CONTEXT, "tie_word_embeddings": is_tied, "vocab_size": len(vocabulary.tokens),
        "bos_token_id": vocabulary.bos, "eos_token_id": vocabulary.eos,
        "pad_token_id": fields.get("tokenizer.ggml.padding_token_id"),
    }
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config, file, indent=2)
    tokenizer = peer.tokenizer_of(vocabulary)
    if vocabulary.adds_bos:
        bos = vocabulary.tokens[vocabulary.bos]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", pair=f"{bos} $A {bos} $B", special_tokens=[(bos, vocabulary.bos)]
        )
    ids = {"bos": vocabulary.bos, "eos": vocabulary.eos, "unk": vocabulary.unknown, "pad": config["pad_token_id"]}
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **{f"{name}_token": vocabulary.tokens[number] for name, number in ids.items() if number is not None},
        chat_template=fields.get("tokenizer.chat_template"),
        clean_up_tokenization_spaces=False,
        model_max_length=CONTEXT,
    ).save_pretrained(folder)


def main(vocabularies, folder):
    os.makedirs(folder, exist_ok=True)
    for family, (file, architecture, is_tied, _, _) in FAMILIES.items():
        path = os.path.join(vocabularies, f"ggml-vocab-{file}.gguf")
        fields, vocabulary = peer.metadata(path), peer.Vocabulary(path, space_prefix=file in ("llama-spm", "phi-3"))
        weights = weights_of(architecture, len(vocabulary.tokens), is_tied, zlib.crc32(family.encode()))
        write_gguf(os.path.join(folder, family + ".gguf"), family, fields, weights)
        write_huggingface(os.path.join(folder, family), family, fields, weights, vocabulary)
        print(f"{family}: {len(vocabulary.tokens)} tokens, {sum(a.size for a in weights.tensors.values())} weights", flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
