"""Numbers are standardised and categories one-hot by who teaches; what is missing is marked."""

import pytest
import torch

from wholecase.models import Covariates, load_model, save_model

NAN = float("nan")
TAUGHT = torch.tensor(
    [[50.0, 7.0], [60.0, 7.0], [70.0, 9.0], [NAN, 9.0], [60.0, NAN]], dtype=torch.float64
)
KINDS = ("number", "category")


def term(taught=TAUGHT) -> Covariates:
    made = Covariates(KINDS, 1, taught)
    with torch.no_grad():
        made.weight.copy_(torch.arange(1.0, made.weight.shape[1] + 1))
    return made


def test_it_begins_at_nothing() -> None:
    assert torch.equal(Covariates(KINDS, 2, TAUGHT)(TAUGHT), torch.zeros(5, 2))


def test_who_teaches_sets_mean_deviation_and_categories() -> None:
    made = term()
    deviation = torch.tensor([50.0, 60.0, 70.0, 60.0]).std(correction=0)
    asked = torch.tensor([[60.0 + float(deviation), 7.0], [60.0, 9.0]], dtype=torch.float64)
    # standard age, category 7, category 9, age missing, category missing
    expected = torch.tensor([[1 + 2 * 0.5 - 3 * 0.5], [-2 * 0.5 + 3 * 0.5]])
    torch.testing.assert_close(made(asked), expected)


def test_missing_and_unseen_stand_at_the_mean_and_are_marked() -> None:
    made = term()
    asked = torch.tensor([[NAN, 7.0], [60.0, NAN], [60.0, 8.0]], dtype=torch.float64)
    torch.testing.assert_close(made(asked), torch.tensor([[4 + 1 - 1.5], [5.0], [5.0]]))
    assert made.unseen(asked).tolist() == [[False, False], [False, False], [False, True]]


def test_what_does_not_vary_or_is_never_told_says_nothing() -> None:
    taught = torch.tensor([[NAN, 7.0, 3.0], [NAN, 7.0, 3.0]], dtype=torch.float64)
    made = Covariates(("number", "category", "number"), 1, taught)
    with torch.no_grad():
        made.weight.fill_(1.0)
    asked = torch.tensor([[1e9, 7.0, 99.0]], dtype=torch.float64)
    assert made(asked).item() == 0


def test_all_of_it_travels_with_the_weights(tmp_path) -> None:
    path, made = tmp_path / "m.safetensors", term()
    save_model(path, made, {})
    again = Covariates(KINDS, 1)
    load_model(path, again)
    asked = torch.tensor([[55.0, 9.0], [NAN, 1.0]], dtype=torch.float64)
    assert torch.equal(again(asked), made(asked))
    assert again.weight.requires_grad


def test_a_column_of_another_kind_is_another_model() -> None:
    with pytest.raises(RuntimeError, match="size mismatch"):
        Covariates(("number",), 1).load_state_dict(term().state_dict())
