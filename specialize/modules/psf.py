"""Parameter space factorization: a softmax layer from a language and a task (Ponti et al. 2021).

Every language and every task is a Gaussian variable; a network maps a draw of both to a Gaussian
over the weights of the task's last layer. All three have the prior N(0, I). Training maximises the
evidence's lower bound; at test, means take the place of draws. A language has to be seen with some
task: without data its variable is not learned.

The authors' code takes one number as a variance in the KL divergence and as a deviation in draws.
Here it is the deviation in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from specialize.errors import UsageError
from specialize.modules.keyed import Keyed
from specialize.modules.scope import Scope

# shapes: E width of the variables, N labels, D width of states, R rank of the factor, S draws

_LAYERS = 6


class Divergences(NamedTuple):
    """Divergences from the prior, scalars in nats.

    Each is subtracted once from the log-likelihood of all data that it is of, so that a mean loss
    takes it divided by their number: ``parameters`` by that of the pair, ``languages`` and
    ``tasks`` by that of the language and the task, or with a factor, which joins all of them, by
    that of all data.
    """

    parameters: Tensor
    languages: Tensor
    tasks: Tensor


@dataclass(frozen=True)
class Draws:
    """Logits of S draws of the parameters, and divergences from the prior."""

    logits: Tensor  # [S, ..., N]
    divergences: Divergences


class Factorization(nn.Module):
    """The last layers of all tasks in all languages.

    ``rank``: of the factor that correlates the variables of all languages, and those of all tasks;
    0 = independent variables. Frozen until a policy trains it.
    """

    def __init__(
        self,
        width: int,
        *,
        embedding: int = 100,
        hidden: int | None = None,
        rank: int = 0,
        dropout: float = 0.1,
        seed: int = 0,
    ) -> None:
        """``hidden``: width of the network; None = ``width``, as in the authors' code."""
        super().__init__()
        self.width, self.embedding, self.rank = width, embedding, rank
        shapes: dict[str, tuple[int, ...]] = {"mean": (embedding,), "deviation": (embedding,)}
        if rank:
            shapes["factor"] = (embedding, rank)
        self.languages = Keyed("language", [0], shapes, _initial)
        self.tasks = Keyed("task", [0], shapes, _initial)
        inner = hidden or width
        sizes = [4 * embedding, *[inner] * (_LAYERS - 1), embedding]
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.network = nn.Sequential(
                *(
                    nn.Sequential(nn.Linear(given, found), nn.ReLU(), nn.Dropout(dropout))
                    for given, found in pairwise(sizes)
                )
            )
        self.heads = nn.ModuleDict()
        self.requires_grad_(False)

    def add_task(self, task: str, labels: int, *, width: int | None = None, seed: int = 0) -> None:
        """Add the variable of a task and the layers that make its parameters.

        ``width``: of the states that its last layer reads; None = that of all tasks.
        """
        device = next(self.network.parameters()).device
        self.tasks.add(task, seed=seed)
        self.tasks.to(device)  # an empty one does not know where it is
        size = labels * (width or self.width)
        sizes = {"mean": size, "deviation": size, "bias": labels}
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            made = {name: nn.Linear(self.embedding, size) for name, size in sizes.items()}
        self.heads[f"[{task}]"] = nn.ModuleDict(made).requires_grad_(False).to(device)

    def forward(self, states: Tensor, scope: Scope, *, samples: int = 0) -> Draws:
        """Return the logits [S, ..., N] of ``states`` [..., D] for ``samples`` draws.

        0 samples: the logits at the means, S = 1. Draws come from torch's default generator.
        """
        if samples < 0:
            raise UsageError(f"expected samples of at least 0, got {samples}")
        found = [self._logits(states, scope, draw=samples > 0) for _ in range(samples or 1)]
        divergences = Divergences(
            torch.stack([divergence for _, divergence in found]).mean(),
            self._divergence(self.languages, scope),
            self._divergence(self.tasks, scope),
        )
        return Draws(torch.stack([logits for logits, _ in found]), divergences)

    def check(self, scope: Scope) -> None:
        """Raise UsageError if the language or the task of ``scope`` has no variable."""
        self.languages.check(scope)
        self.tasks.check(scope)

    def _logits(self, states: Tensor, scope: Scope, *, draw: bool) -> tuple[Tensor, Tensor]:
        """Return the logits of a draw or the means, and the divergence of the parameters."""
        language = self._variable(self.languages, scope, draw=draw)
        task = self._variable(self.tasks, scope, draw=draw)
        seen = torch.cat([language, task, language - task, language * task])
        hidden = self.network(seen)
        head = self.heads.get_submodule(f"[{scope.key('task')}]")
        mean, raw, bias = (
            head.get_submodule(name)(hidden) for name in ("mean", "deviation", "bias")
        )
        deviation = F.softplus(raw)
        weight = mean + deviation * torch.randn_like(deviation) if draw else mean
        logits = F.linear(states, weight.view(len(bias), -1), bias)
        return logits, gaussian_divergence(mean, deviation)

    def _variable(self, keyed: Keyed, scope: Scope, *, draw: bool) -> Tensor:
        """Return a draw [E] of the scope's variable, or its mean."""
        part = keyed.at(0, scope.key(keyed.by))
        if not draw:
            return part["mean"]
        deviation = F.softplus(part["deviation"])
        found = part["mean"] + deviation * torch.randn_like(deviation)
        if self.rank:
            found = found + part["factor"] @ torch.randn(self.rank, device=found.device)
        return found

    def _divergence(self, keyed: Keyed, scope: Scope) -> Tensor:
        """Return the divergence of the scope's variable, or of all where a factor joins them."""
        keys = keyed.keys if self.rank else [scope.key(keyed.by)]
        parts = [keyed.at(0, key) for key in keys]
        mean = torch.cat([part["mean"] for part in parts])
        deviation = F.softplus(torch.cat([part["deviation"] for part in parts]))
        factor = torch.cat([part["factor"] for part in parts]) if self.rank else None
        return gaussian_divergence(mean, deviation, factor)


def gaussian_divergence(mean: Tensor, deviation: Tensor, factor: Tensor | None = None) -> Tensor:
    """Return KL(N(mean, diag(deviation^2) + factor factor^T) || N(0, I)), in nats.

    ``mean``, ``deviation``: [E]; ``factor``: [E, R]. By the matrix determinant lemma.
    """
    variance = deviation.float().square()
    spread = variance + mean.float().square()
    log_determinant = variance.log().sum()
    if factor is not None:
        spread = spread + factor.square().sum(-1)
        with torch.autocast(factor.device.type, enabled=False):  # no logdet of bfloat16
            inner = factor.T @ (factor / variance[:, None])
            inner = inner + torch.eye(len(inner), device=factor.device)
            log_determinant = log_determinant + torch.logdet(inner)
    return 0.5 * (spread.sum() - mean.numel() - log_determinant)


def _initial(name: str, tensor: Tensor, generator: torch.Generator) -> None:
    """Initialise means and factors by N(0, 0.1), what gives deviations by U(0, 0.5)."""
    if name == "deviation":
        tensor.uniform_(0, 0.5, generator=generator)
    else:
        tensor.normal_(0, 0.1, generator=generator)
