"""The bidirectional LSTM equals torch's over packed sequences."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from specialize.model.lstm import BiLSTM, _reversed


def test_a_sequence_is_reversed_within_its_own_length() -> None:
    assert _reversed(torch.tensor([3, 1]), 4).tolist() == [[2, 1, 0, 3], [0, 1, 2, 3]]


def test_its_states_and_last_states_are_those_of_torchs_packed_lstm() -> None:
    torch.manual_seed(0)
    ours, theirs = BiLSTM(3, 8), nn.LSTM(3, 4, batch_first=True, bidirectional=True)
    with torch.no_grad():
        for name, parameter in ours.ahead.named_parameters():
            getattr(theirs, name).copy_(parameter)
        for name, parameter in ours.back.named_parameters():
            getattr(theirs, f"{name}_reverse").copy_(parameter)
    given, lengths = torch.randn(3, 5, 3), torch.tensor([2, 5, 1])
    packed = pack_padded_sequence(given, lengths, batch_first=True, enforce_sorted=False)
    wanted, (ends, _) = theirs(packed)
    wanted, _ = pad_packed_sequence(wanted, batch_first=True)
    real = torch.arange(5) < lengths.unsqueeze(1)
    torch.testing.assert_close(ours(given, lengths)[real], wanted[real])
    torch.testing.assert_close(ours.last(given, lengths), torch.cat([*ends], -1))
