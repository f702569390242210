"""The head `neighbours`: a vote of the nearest cases of other patients, taught by comparing."""

import itertools

import numpy as np
import pytest
import torch

from wholecase.core.errors import RecipeError
from wholecase.models import (
    AGGREGATORS,
    Batch,
    CaseModel,
    answers,
    load_model,
    predict,
    remember,
    save_model,
)
from wholecase.models.heads import Neighbours
from wholecase.models.heads.compared import active_share
from wholecase.models.heads.metric_losses import mining, triplet_loss
from wholecase.models.heads.nearest_cases import CLOSEST, Found, Near, codes, nearest_cases, vote

WIDTH, CLASSES = 6, 2


def shown(count: int = 12, seed: int = 0, shared: int = 1) -> Batch:
    """Classes in turn, apart along the first number; `shared` cases in a row are of one patient."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.arange(count) % CLASSES
    values = torch.randn(count, WIDTH, generator=generator)
    values[:, 0] += 3 * label
    return Batch(
        values,
        torch.arange(count + 1),
        tuple(f"case {i}" for i in range(count)),
        tuple(f"p{i // shared}" for i in range(count)),
        targets={"label": torch.eye(CLASSES)[label]},
    )


def fresh(seed: int = 0, **options: object) -> CaseModel:
    torch.manual_seed(seed)
    head = Neighbours(WIDTH, CLASSES, size=4, **options)
    return CaseModel(pool=AGGREGATORS["mean"](WIDTH), head=head)


def taught(batch: Batch, steps: int = 20, **options: object) -> CaseModel:
    model = fresh(**options).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for step in range(steps):
        model.turn(step)
        optimizer.zero_grad()
        model.loss(batch).backward()
        optimizer.step()
    remember(model, [batch])
    return model.eval()


def slowly(model: CaseModel, batch: Batch, known: Batch, k: int) -> np.ndarray:
    """Case by case, neighbour by neighbour."""
    rows = []
    own = model.eval().head.judge
    unit = [[x / x.norm() for x in own(b.values[:, None]).detach()] for b in (batch, known)]
    for i, patient in enumerate(batch.patients):
        others = sorted(
            (float((unit[0][i] - unit[1][j]).norm()), j)
            for j in range(len(known.cases))
            if known.patients[j] != patient
        )[:k]
        votes = np.zeros(CLASSES)
        for distance, j in others:
            votes += known.targets["label"][j].numpy() / (distance + CLOSEST)
        share = votes / votes.sum() if others else votes
        rows.append((len(others) * share + 1 / CLASSES) / (len(others) + 1))
    return np.stack(rows)


@pytest.mark.parametrize(("k", "shared"), [(1, 1), (5, 2), (15, 3)])
def test_the_vote_is_that_of_a_slow_loop(k: int, shared: int) -> None:
    known, asked = shown(shared=shared), shown(7, seed=1)
    model = taught(known, k=k)
    told = predict(model, [asked])
    np.testing.assert_allclose(told, slowly(model, asked, known, k), atol=1e-5)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    asked, known = (
        torch.nn.functional.normalize(torch.randn(n, 8, generator=generator)) for n in (9, 40)
    )
    whose = codes(str(i % 5) for i in range(9)), codes(str(i % 7) for i in range(40))
    whole = nearest_cases((asked, whose[0]), (known, whose[1]), 4)
    monkeypatch.setattr("wholecase.models.heads.nearest_cases.BLOCK", 2)
    parts = nearest_cases((asked, whose[0]), (known, whose[1]), 4)
    assert torch.equal(whole.index, parts.index)
    assert not (whose[0][:, None] == whose[1][whole.index]).any()
    assert (whole.distance.diff(dim=1) >= 0).all()


def test_nobody_of_the_same_patient_votes_however_the_id_is_spelt() -> None:
    known = shown(shared=2)
    model = taught(known, k=1)
    (answer,) = answers(model, [known])
    near = model.head.neighbours(answer)
    whose = dict(zip(codes(known.cases).tolist(), known.patients, strict=True))
    for patient, cases in zip(known.patients, near.case.tolist(), strict=True):
        assert patient not in {whose[case] for case in cases}
    spelt = Batch(known.values, known.starts, known.cases, tuple(p.upper() for p in known.patients))
    np.testing.assert_array_equal(predict(model, [spelt]), predict(model, [known]))


def test_fewer_neighbours_than_asked_for_make_the_vote_less_sure() -> None:
    def said(found: Found) -> float:
        label = torch.eye(2)[torch.ones_like(found.index)]
        return float(vote(Near(found.index, found.index, label, found.distance))[0, 1])

    one, three = (
        nearest_cases((torch.eye(2)[:1], codes(["p"])), (torch.eye(2)[[1, 1, 1]], owners), 3)
        for owners in (codes(["p", "q", "p"]), codes(["q", "q", "r"]))
    )
    assert one.distance.isfinite().sum() == 1
    assert said(one) == pytest.approx((1 + 0.5) / 2)
    assert said(three) == pytest.approx((3 + 0.5) / 4)


def test_only_the_own_patient_is_known_and_nothing_is_said() -> None:
    known = shown(4, shared=4)
    model = taught(known)
    np.testing.assert_allclose(predict(model, [known]), 0.5)


def test_loaded_it_answers_as_it_did_and_remembers_the_same(tmp_path) -> None:
    known, asked = shown(), shown(5, seed=1)
    model = taught(known)
    save_model(tmp_path / "model.safetensors", model, {})
    other = fresh(seed=3)
    load_model(tmp_path / "model.safetensors", other)
    np.testing.assert_array_equal(predict(other, [asked]), predict(model, [asked]))
    assert torch.equal(other.head.memory_case, codes(known.cases))
    assert torch.equal(other.eval().loss(asked), model.loss(asked))


def test_the_number_of_neighbours_is_chosen_unless_it_is_given() -> None:
    head = Neighbours(WIDTH, CLASSES, most=7)
    assert head.candidates() == {"k": (1, 3, 5, 7)}
    head.adopt({"k": 3})
    assert Neighbours(WIDTH, CLASSES, k=4).candidates() == {}
    with pytest.raises(RecipeError, match="no choice 'kk'"):
        head.adopt({"kk": 3})


def triplets(vectors: torch.Tensor, label: list[int], margin: float) -> dict[str, list[float]]:
    """What semi-hard and hard triplets cost, by three loops."""
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    distance = torch.cdist(unit, unit).tolist()
    count, semi, hard = len(label), [], []
    for a in range(count):
        same = [distance[a][p] for p in range(count) if p != a and label[p] == label[a]]
        others = [distance[a][n] for n in range(count) if label[n] != label[a]]
        semi += [near - far + margin for near in same for far in others if 0 < far - near <= margin]
        hard.append(max(max(same) - min(others) + margin, 0))
    return {"semi": semi, "hard": [cost for cost in hard if cost > 0]}


@pytest.mark.parametrize(("epoch", "which"), [(0, "semi"), (10, "hard")])
def test_triplets_cost_what_three_loops_say(epoch: int, which: str) -> None:
    batch = shown(8, seed=2)
    model = fresh().train()
    model.turn(epoch)
    vectors = model.head.logits(batch.values[:, None]).detach()
    costs = triplets(vectors, batch.targets["label"].argmax(1).tolist(), 0.5)[which]
    assert float(model.loss(batch).detach()) == pytest.approx(np.mean(costs), abs=1e-4)


def test_the_soft_margin_is_the_log_of_one_plus_e() -> None:
    batch = shown(8, seed=2)
    model = fresh(margin="soft", hard_from=0).train()
    unit = torch.nn.functional.normalize(model.head.logits(batch.values[:, None]).detach())
    distance, label = torch.cdist(unit, unit), batch.targets["label"].argmax(1)
    same = label[:, None] == label
    far = distance.masked_fill(~same, -1).amax(1)
    near = distance.masked_fill(same, 9).amin(1)
    expected = torch.nn.functional.softplus(far - near).mean()
    torch.testing.assert_close(model.loss(batch).detach(), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "loss",
    ["NTXentLoss", "ContrastiveLoss", "ProxyAnchorLoss", {"name": "ArcFaceLoss", "margin": 20}],
)
def test_any_loss_of_the_library_teaches_by_its_name(loss: object) -> None:
    batch = shown(24)
    right = [
        (predict(taught(batch, steps, loss=loss, k=3), [batch]).argmax(1) == np.arange(24) % 2)
        for steps in (0, 40)
    ]
    assert right[1].mean() > 0.95 > right[0].mean()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "TripletMarginLos"}, "did you mean 'TripletMarginLoss'"),
        ({"loss": {"name": "ContrastiveLoss", "margins": 1}}, "cannot teach .* argument 'margins'"),
        ({"loss": "SignalToNoiseRatioContrastiveLoss"}, "by another distance"),
        ({"loss": "VICRegLoss"}, "cannot teach"),
        ({"loss": "NTXentLoss", "margin": 0.2}, "remove margin"),
        ({"margin": "softer"}, "or 'soft', not 'softer'"),
        ({"branches": 2}, "set its branches to single"),
        ({"most": 50}, "most of 1 to 31"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Neighbours(WIDTH, CLASSES, **options)


@pytest.mark.parametrize("margin", [0.0, 0.5])
def test_the_active_share_is_that_of_three_loops(margin: float) -> None:
    generator = torch.Generator().manual_seed(0)
    unit = torch.nn.functional.normalize(torch.randn(11, 3, generator=generator))
    label = [0, 0, 1, 2, 1, 0, 1, 1, 2, 0, 0]
    distance = torch.cdist(unit, unit).tolist()
    active = [
        distance[a][n] - distance[a][p] < margin
        for a, p, n in itertools.permutations(range(11), 3)
        if label[a] == label[p] != label[n]
    ]
    share = active_share(unit, torch.tensor(label), margin)
    assert float(share) == pytest.approx(np.mean(active))
    assert 0 < float(share) < 1
    assert active_share(unit, torch.zeros(11, dtype=torch.long), margin).isnan()


def test_an_epoch_tells_active_triplets_and_how_far_cases_lie_apart() -> None:
    batch, model = shown(24), fresh()
    assert model.head.figures() == {}
    told = [taught(batch, steps).head.figures() for steps in (1, 40)]
    assert told[0]["active_triplets"] > told[1]["active_triplets"] >= 0
    head = taught(batch, 1).head
    assert head.figures()["embedding_distance"] == pytest.approx(
        float(torch.cdist(head.memory, head.memory).sum() / (24 * 23)), rel=1e-4
    )
    head.memory = head.memory[:1].expand(24, -1)
    assert head.figures()["embedding_distance"] == 0
    assert head.figures()["embedding_deviation"] == pytest.approx(0, abs=1e-6)


def test_mining_and_neighbours_rank_by_one_distance() -> None:
    batch = shown(16, seed=4)
    unit = torch.nn.functional.normalize(batch.values)
    label = batch.targets["label"].argmax(1)
    whose = codes(batch.cases)
    found = nearest_cases((unit, whose), (unit, whose), 15)
    mined = mining(0.5)
    anchors, farthest, nearest = mined.later(unit, label)
    for anchor, positive, negative in zip(anchors, farthest, nearest, strict=True):
        order = found.index[anchor].tolist()
        assert positive == [i for i in order if label[i] == label[anchor]][-1]
        assert negative == next(i for i in order if label[i] != label[anchor])
    told = triplet_loss(0.5).distance(unit)
    for rule in (mined.first, mined.later):
        torch.testing.assert_close(rule.distance(unit), told)
    torch.testing.assert_close(told.gather(1, found.index), found.distance, atol=1e-4, rtol=1e-4)
