"""Small GGUF files for tests: real vocabularies without weights, real ones with random weights, made-up ones.

The Mistral vocabularies come from the data that mistral-common ships.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import gguf
import mistral_common
import numpy as np
from gguf.vocab import MistralVocab, bytes_to_unicode

MISTRAL_DATA = Path(mistral_common.__file__).parent / "data"
V3 = MISTRAL_DATA / "mistral_instruct_tokenizer_240323.model.v3"
"""Codestral's vocabulary."""
V2 = MISTRAL_DATA / "mistral_instruct_tokenizer_240216.model.v2"
"""The same tokens, but `[control_9]` to `[control_11]` for the FIM ones, as in the first Codestral GGUFs."""
TEKKEN = MISTRAL_DATA / "tekken_240911.json"

CONTROL, USER_DEFINED, NORMAL, BYTE, UNKNOWN, UNUSED = (
    gguf.TokenType.CONTROL,
    gguf.TokenType.USER_DEFINED,
    gguf.TokenType.NORMAL,
    gguf.TokenType.BYTE,
    gguf.TokenType.UNKNOWN,
    gguf.TokenType.UNUSED,
)

# The least that llama.cpp evaluates as a llama: 2 heads of 32 make rotary embeddings of a usual size.
_LAYERS, _WIDTH, _HEADS, _FEED_FORWARD, _CONTEXT = 2, 64, 2, 128, 4096


def write_tiny_mistral(
    path: Path, *, vocab_only: bool, tokenizer: Path = V3, name: str = "Codestral Tiny Random"
) -> Path:
    """Write Codestral's vocabulary, and unless `vocab_only` a llama of random weights (about 17 MB) with it.

    The weights are the same every time. What such a model says is noise, but it can be evaluated.
    """
    writer = _writer(path, name)
    vocabulary = MistralVocab(_as_tokenizer_folder(path, tokenizer))
    texts, scores, types = zip(*vocabulary.all_tokens(), strict=True)
    writer.add_tokenizer_model(vocabulary.gguf_tokenizer_model)
    writer.add_tokenizer_pre("tekken" if vocabulary.gguf_tokenizer_model == "gpt2" else "default")
    writer.add_token_list(texts)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    if vocabulary.gguf_tokenizer_model == "gpt2":
        merges = vocabulary.extract_vocab_merges_from_model()  # type: ignore[no-untyped-call]
        writer.add_token_merges(merges)
    writer.add_bos_token_id(vocabulary.bos_id)
    writer.add_eos_token_id(vocabulary.eos_id)
    writer.add_unk_token_id(vocabulary.unk_id)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    if not vocab_only:
        _add_random_weights(writer, len(texts))
    return _finish(writer, path)


def write_bpe(
    path: Path,
    markers: Iterable[str],
    *,
    name: str = "",
    kind: gguf.TokenType = CONTROL,
    merges: Sequence[tuple[str, str]] = (),
    pre: str = "gpt-2",
    without: bytes = b"",
) -> Path:
    """Write a byte-level BPE vocabulary of the bytes, what `merges` make of them, and `markers`."""
    letters = [letter for byte, letter in bytes_to_unicode().items() if byte not in without]
    special = list(dict.fromkeys(["<|end|>", *markers]))
    joined = [left + right for left, right in merges if left + right not in special]
    texts = [*letters, *joined, *special]
    writer = _writer(path, name)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(texts)
    writer.add_token_types([NORMAL] * (len(letters) + len(joined)) + [CONTROL] + [kind] * (len(special) - 1))
    writer.add_token_merges([f"{left} {right}" for left, right in merges] or ["a b"])
    writer.add_eos_token_id(texts.index("<|end|>"))
    writer.add_add_bos_token(False)
    return _finish(writer, path)


def write_spm(
    path: Path,
    markers: Iterable[str],
    *,
    name: str = "",
    kind: gguf.TokenType = CONTROL,
    words: Sequence[str] = (),
    space_prefix: bool = True,
) -> Path:
    """Write a SentencePiece vocabulary of bytes, ASCII, `words` (earlier ones merge first) and `markers`."""
    single = ["▁", *(chr(code) for code in range(0x21, 0x7F)), "\u00e9"]
    start = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)]
    tokens = [
        *start,
        *((text, kind) for text in dict.fromkeys(markers) if text not in dict(start)),
        *((f"<0x{byte:02X}>", BYTE) for byte in range(256)),
        *((text, NORMAL) for text in [*words, *single]),
    ]
    writer = _writer(path, name)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([text for text, _ in tokens])
    writer.add_token_scores([-float(index) for index in range(len(tokens))])
    writer.add_token_types([token_type for _, token_type in tokens])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(space_prefix)
    return _finish(writer, path)


def _writer(path: Path, name: str) -> gguf.GGUFWriter:
    writer = gguf.GGUFWriter(path, "llama")
    if name:
        writer.add_name(name)
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_FEED_FORWARD)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_rope_freq_base(1e6)
    return writer


def _as_tokenizer_folder(path: Path, tokenizer: Path) -> Path:
    """Lay the tokenizer alone in a folder: gguf takes folders, and mistral-common's own holds all of them."""
    folder = path.parent / f"{path.stem}-tokenizer"
    folder.mkdir(exist_ok=True)
    name = "tekken.json" if tokenizer.suffix == ".json" else "tokenizer" + "".join(tokenizer.suffixes)
    target = folder / name
    target.write_bytes(tokenizer.read_bytes())
    return folder


def _add_random_weights(writer: gguf.GGUFWriter, vocabulary: int) -> None:
    random = np.random.default_rng(0)

    def add(name: str, *shape: int) -> None:
        writer.add_tensor(name, (random.standard_normal(shape) * shape[-1] ** -0.5).astype(np.float32))

    add("token_embd.weight", vocabulary, _WIDTH)
    add("output.weight", vocabulary, _WIDTH)
    writer.add_tensor("output_norm.weight", np.ones(_WIDTH, np.float32))
    for layer in range(_LAYERS):
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(_WIDTH, np.float32))
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"blk.{layer}.{name}.weight", _WIDTH, _WIDTH)
        for name in ("ffn_gate", "ffn_up"):
            add(f"blk.{layer}.{name}.weight", _FEED_FORWARD, _WIDTH)
        add(f"blk.{layer}.ffn_down.weight", _WIDTH, _FEED_FORWARD)


def _finish(writer: gguf.GGUFWriter, path: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
