"""The contrastive loss: two notes of one patch are the same timbre, those of others are not. Knows no data."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def contrastive_loss(one: Tensor, other: Tensor, scale: Tensor, groups: Tensor) -> Tensor:
    """Cross-entropy of finding each vector's partner among both notes of all patches of the batch.

    Patches of one group are near-duplicates: of them neither is asked to lie away from the other.

    Args:
        one: unit vectors, shape (patches, dim).
        other: of the same patches, at another note.
        scale: inverse temperature, a number.
        groups: whole numbers, shape (patches,).

    Source: Chen et al., "A simple framework for contrastive learning of visual representations", 2020, equation 1;
    with a learnt temperature as in Radford et al. 2021, section 2.3.
    """
    count = len(one)
    vectors = torch.cat([one, other])
    similar = scale * (vectors @ vectors.T)
    place = torch.arange(2 * count)
    partner = place.roll(count)
    twins = torch.cat([groups, groups])
    # Oneself and one's twins, but not one's own partner.
    hidden = twins[:, None] == twins[None, :]
    hidden[place, partner] = False
    return functional.cross_entropy(similar.masked_fill(hidden, -torch.inf), partner)
