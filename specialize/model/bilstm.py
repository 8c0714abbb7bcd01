"""A BiLSTM over a table of word vectors, as a model of the transformers library.

The encoder of Chau & Smith's FASTT rows, so that heads, stages and reports treat static vectors as
any other base. Its masked-LM head exists for transformers alone: the tokenizer has no mask piece.
`register` makes the type known to transformers' Auto classes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.modeling_outputs import BaseModelOutput, MaskedLMOutput

from specialize.model.lstm import BiLSTM, same_dropped

# shapes: B sequences, L pieces, E width of a vector, D width of the states, V pieces


class BiLSTMConfig(PreTrainedConfig):  # type: ignore[misc]  # untyped
    """The sizes of a BiLSTM; heads see it as one layer, its last."""

    model_type = "specialize-bilstm"

    vocab_size: int = 2
    embedding_size: int = 100
    hidden_size: int = 400  # both directions together
    lstm_layers: int = 2
    highway: bool = False
    dropout: float = 0.3
    num_hidden_layers: int = 1
    pad_token_id: int | None = 0


class BiLSTMModel(PreTrainedModel):  # type: ignore[misc]  # untyped
    """Word vectors, then BiLSTM layers, in float32.

    Dropout is one mask a sequence (variational), on the input of each layer and on the states. With
    ``highway`` a layer's states are g h + (1 - g) W x for its input x, g = s(U x). In the paper's
    AllenNLP encoder the gate sees the last state too, and dropout is on the recurrent state; here
    both are outside of the recurrence, where the library's fast LSTM serves.
    """

    config_class = BiLSTMConfig
    base_model_prefix = "bilstm"

    def __init__(self, config: BiLSTMConfig) -> None:
        super().__init__(config)
        sizes = [config.embedding_size, *[config.hidden_size] * (config.lstm_layers - 1)]
        width = config.hidden_size
        self.word_embeddings = nn.Embedding(
            config.vocab_size, config.embedding_size, padding_idx=config.pad_token_id
        )
        self.layers = nn.ModuleList(BiLSTM(size, width) for size in sizes)
        gates = [nn.Linear(size, 2 * width) for size in sizes] if config.highway else []
        self.gates = nn.ModuleList(gates)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the table of word vectors."""
        return self.word_embeddings

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any) -> Any:
        """Return the states; ``hidden_states`` are the word vectors and them."""
        real_BL = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        lengths_B = real_BL.sum(1).clamp(min=1)
        with torch.autocast(input_ids.device.type, enabled=False):
            vectors_BLE: Tensor = self.word_embeddings(input_ids)
            states = vectors_BLE
            for i, layer in enumerate(self.layers):
                given = self._dropped(states)
                states = layer(given, lengths_B)
                if self.gates:
                    gate, straight = self.gates[i](given).chunk(2, -1)
                    states = torch.lerp(straight, states, gate.sigmoid())
            states_BLD = self._dropped(states * real_BL.unsqueeze(-1))
        return BaseModelOutput(states_BLD, hidden_states=(vectors_BLE, states_BLD))

    def _dropped(self, states_BLX: Tensor) -> Tensor:
        return same_dropped(states_BLX, self.config.dropout, self.training)


class BiLSTMForMaskedLM(PreTrainedModel):  # type: ignore[misc]  # untyped
    """A BiLSTM with logits by the dot product with the word vectors."""

    config_class = BiLSTMConfig
    base_model_prefix = "bilstm"

    def __init__(self, config: BiLSTMConfig) -> None:
        super().__init__(config)
        self.bilstm = BiLSTMModel(config)
        self.transform = nn.Linear(config.hidden_size, config.embedding_size)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the table of word vectors."""
        return self.bilstm.word_embeddings

    def get_output_embeddings(self) -> None:
        """Return None: the logits' weights are the input table."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any) -> Any:
        """Return logits [B, L, V]."""
        states_BLD = self.bilstm(input_ids, attention_mask).last_hidden_state
        table_VE = self.bilstm.word_embeddings.weight
        return MaskedLMOutput(logits=F.linear(self.transform(states_BLD), table_VE))


def new_bilstm(vectors_VE: Tensor, *, pad: int, seed: int, **sizes: Any) -> BiLSTMForMaskedLM:
    """Return a BiLSTM drawn at random over ``vectors_VE``.

    ``sizes``: hidden_size, lstm_layers, highway, dropout.
    """
    pieces, width = vectors_VE.shape
    config = BiLSTMConfig(vocab_size=pieces, embedding_size=width, pad_token_id=pad, **sizes)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = BiLSTMForMaskedLM(config)
    with torch.no_grad():
        model.bilstm.word_embeddings.weight.copy_(vectors_VE)
    return model


def register() -> None:
    """Let AutoConfig, AutoModel and AutoModelForMaskedLM read such a folder."""
    AutoConfig.register(BiLSTMConfig.model_type, BiLSTMConfig, exist_ok=True)
    AutoModel.register(BiLSTMConfig, BiLSTMModel, exist_ok=True)
    AutoModelForMaskedLM.register(BiLSTMConfig, BiLSTMForMaskedLM, exist_ok=True)
