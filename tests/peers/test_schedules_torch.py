"""OneCycle beside PyTorch's, step by step."""

import pytest

from fastcnn.optimizers.schedules import OneCycle

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.peers


@pytest.mark.parametrize("total", [10, 37])
@pytest.mark.parametrize("arguments", [
    {}, {"pct_start": 0.5, "anneal_strategy": "linear"}, {"div_factor": 4.0, "final_div_factor": 10.0}], ids=str)
def test_one_cycle_is_pytorchs(arguments, total):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.3, total_steps=total, cycle_momentum=False, **arguments)
    ours = OneCycle(0.3, total, **arguments)
    for step in range(total):
        assert ours(step) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12), step
        optimizer.step()
        if step + 1 < total:
            theirs.step()
