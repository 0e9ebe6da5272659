"""Few-shot classification by gradient steps: the learner of MAML and of what came after it."""

import torch.nn.functional as F
from torch import Tensor

from engine.data.tensors import Split
from engine.inner_tasks.episode_task import EpisodeTask
from engine.inner_tasks.inner_task import Params


class FewShotTask(EpisodeTask):
    """A backbone with a linear head, adapted to an episode's support (Finn et al., 2017)."""

    def batch(self, seed: Tensor, t: int | Tensor) -> Split:
        """The whole support set, at every step."""
        return self.episodes.support(seed)

    def whole_batch(self, seed: Tensor) -> Split:
        return self.episodes.support(seed)

    def training_loss(self, params: Params, batch: Split) -> Tensor:
        """Mean cross-entropy over the batch, in nats."""
        return F.cross_entropy(self.logits(params, batch.inputs), batch.labels)

    def query_logits(self, params: Params, seed: Tensor) -> Tensor:
        return self.logits(params, self.episodes.query(seed).inputs)

    def logits(self, params: Params, inputs: Tensor) -> Tensor:
        """Scores [N, ways]."""
        features = self.features(params, inputs)
        return F.linear(features, params["head.weight"], params["head.bias"])
