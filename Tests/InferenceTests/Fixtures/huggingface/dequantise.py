"""Writes a quantised GGUF model with 32-bit weights: the same numbers, as every other program can read them.

    python3 dequantise.py IN.gguf OUT.gguf              # needs the PyPI packages gguf 0.19.0 and numpy
    python3 dequantise.py --huggingface IN.gguf FOLDER  # also safetensors 0.8.0, tokenizers and transformers 5

OUT.gguf has the metadata of IN.gguf except its file type. FOLDER is a Llama model for transformers with the weights, the
vocabulary, the special tokens and the chat template of IN.gguf. The same input gives the same bytes.
"""

import argparse
import json
import os

import gguf
import numpy


def metadata(reader):
    return {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}


def weights(tensor):
    """The tensor as 32-bit numbers, in rows as numpy counts them."""
    return gguf.dequantize(tensor.data, tensor.tensor_type).reshape(tensor.shape[::-1]).astype(numpy.float32, copy=False)


def write_gguf(reader, path):
    values = metadata(reader)
    values["general.file_type"] = int(gguf.LlamaFileType.ALL_F32)
    writer = gguf.GGUFWriter(path, values["general.architecture"])
    for name, value in values.items():
        types = reader.fields[name].types
        if name != "general.architecture":  # which the writer adds itself
            writer.add_key_value(name, value, types[0], types[1] if len(types) > 1 else None)
    for tensor in reader.tensors:
        shape = [int(size) for size in tensor.shape[::-1]]
        size = 4 * int(tensor.n_elements)
        writer.add_tensor_info(tensor.name, shape, numpy.dtype(numpy.float32), size)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor in reader.tensors:
        writer.write_tensor_data(weights(tensor))
    writer.close()


NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def huggingface_name(name):
    name = name.removesuffix(".weight")
    if not name.startswith("blk."):
        return NAMES[name] + ".weight"
    _, layer, part = name.split(".")
    return f"model.layers.{layer}.{NAMES[part]}.weight"


def unpermuted(array, heads):
    """The rows of a query or key matrix as transformers wants them: llama.cpp has the two numbers of a rotation side by
    side, transformers half a head apart."""
    size = array.shape[0] // heads
    return array.reshape(heads, size // 2, 2, -1).swapaxes(1, 2).reshape(array.shape)


def write_huggingface(reader, folder):
    from safetensors.numpy import save_file

    values = metadata(reader)
    if values["general.architecture"] != "llama" or any("rope.scaling" in name or "bias" in name for name in values):
        raise SystemExit("only plain Llama models are known here")
    of = lambda name: values["llama." + name]
    heads, key_heads = of("attention.head_count"), of("attention.head_count_kv")
    tensors = {}
    for tensor in reader.tensors:
        array = weights(tensor)
        if ".attn_q." in tensor.name:
            array = unpermuted(array, heads)
        elif ".attn_k." in tensor.name:
            array = unpermuted(array, key_heads)
        tensors[huggingface_name(tensor.name)] = numpy.ascontiguousarray(array)
    config = {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "bos_token_id": values["tokenizer.ggml.bos_token_id"],
        "dtype": "float32",
        "eos_token_id": values["tokenizer.ggml.eos_token_id"],
        "hidden_act": "silu",
        "hidden_size": of("embedding_length"),
        "intermediate_size": of("feed_forward_length"),
        "max_position_embeddings": of("context_length"),
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": heads,
        "num_hidden_layers": of("block_count"),
        "num_key_value_heads": key_heads,
        "pad_token_id": values["tokenizer.ggml.padding_token_id"],
        # 1e-05, not the nearest 32-bit number written out; computing rounds it back.
        "rms_norm_eps": float(numpy.float32(of("attention.layer_norm_rms_epsilon")).astype(str)),
        "rope_theta": of("rope.freq_base"),
        "tie_word_embeddings": "lm_head.weight" not in tensors,
        "vocab_size": of("vocab_size"),
    }
    os.makedirs(folder, exist_ok=True)
    save_file(tensors, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config, file, indent=2)
        file.write("\n")
    write_tokenizer(values, folder)


def write_tokenizer(values, folder):
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    of = lambda name: values.get("tokenizer.ggml." + name)
    if (of("model"), of("pre")) != ("gpt2", "smollm") or of("add_bos_token"):
        raise SystemExit("only the tokenizer of SmolLM is known here")
    tokens = of("tokens")
    merges = [tuple(merge.split(" ")) for merge in of("merges")]
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, of("token_type")) if kind == gguf.TokenType.CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in control])
    special = {
        name + "_token": tokens[of(key + "_token_id")]
        for name, key in [("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")]
    }
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **special,
        extra_special_tokens=[token for token in control if token not in special.values()],
        chat_template=values["tokenizer.chat_template"],
        clean_up_tokenization_spaces=False,
        model_max_length=values["llama.context_length"],
    ).save_pretrained(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--huggingface", action="store_true", help="write a folder for transformers")
    parser.add_argument("model")
    parser.add_argument("output")
    arguments = parser.parse_args()
    (write_huggingface if arguments.huggingface else write_gguf)(gguf.GGUFReader(arguments.model), arguments.output)
