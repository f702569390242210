"""A recipe's text cannot hurt, and says what it shows."""

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from wholecase.core.errors import RecipeError
from wholecase.recipes import builtin_recipes, read_recipe, recipe_text
from wholecase.recipes.plain_yaml import MOST_LETTERS, parse_yaml, yaml_text

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "line 2: the alias \\*a is not read; write out"),
        ("a: &a\n  b: *a", "the alias \\*a is not read"),
        ("[" * 1000, "more than 20 lists or mappings"),
        ("{a: " * 1000, "more than 20 lists or mappings"),
        ("- " * 1000, "more than 20 lists or mappings"),
        ("x" * (MOST_LETTERS + 1), "letters, and a recipe"),
        (f"a: {'9' * 5000}", "line 1: a number of 5000 digits"),
        ("a: 1e999", "1e999 is no setting"),
        ("a: .inf", "finite number"),
        ("a: .nan", "finite number"),
        ("a: 1\na: 2", "line 2: the key 'a' is there twice"),
        ("? [a]\n: b", "cannot be a key"),
        ("a: !!python/object:os.system x", "the tag .* is not read"),
        ("a: !!binary x", "the tag .* is not read"),
        ("a: !!timestamp 2024-13-45", "the tag .* is not read"),
        ("a: 1\n---\nb: 2", "is not YAML"),
        ("a: \x00", "is not YAML"),
        ("a: \ud800", "is not YAML"),
        ("a: [", "is not YAML"),
        ("\t- a", "is not YAML"),
    ],
)
def test_what_could_hurt_is_refused_in_a_sentence(text, said, tmp_path):
    with pytest.raises(RecipeError, match=said) as caught:
        parse_yaml(text, "mine.yaml")
    assert str(caught.value).startswith("mine.yaml")
    assert "\n" not in str(caught.value)
    with pytest.raises(RecipeError, match=said):
        read_recipe("egfr-clam", [f"train.epochs={text}"])


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("~", None),
        ("1e-4", 1e-4),
        ("010", 10),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("2024-13-45", "2024-13-45"),
        ("2024-03-01", "2024-03-01"),
        ("'1'", "1"),
        ("! 1", 1),
        ("", None),
        ("{a: [1, {b: .5}]}", {"a": [1, {"b": 0.5}]}),
    ],
)
def test_words_are_words_and_numbers_are_numbers(text, meant):
    assert parse_yaml(text, "x") == meant


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**9), 10**9)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)
        | st.sampled_from(
            ["1e4", "08", "010", "1_0", "on", "null", "2024-01-01", ".inf", "=", "<<"]
        ),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text("ab1", max_size=3), inner)
        ),
        max_leaves=8,
    )
)
def test_what_is_written_is_read_back(content):
    assert parse_yaml(yaml_text(content), "x") == content


@pytest.mark.parametrize("name", builtin_recipes())
def test_recipes_are_written_as_any_yaml_is(name):
    recipe = read_recipe(name)
    plain = yaml.safe_dump(
        recipe.model_dump(mode="json", by_alias=True), sort_keys=False, allow_unicode=True
    )
    assert recipe_text(recipe) == plain


@pytest.mark.parametrize(
    ("override", "values"),
    [
        ("cohort.positive=[1]", ("1",)),
        ("cohort.positive=[01]", ("01",)),
        ("cohort.positive=[true, yes]", ("true", "yes")),
        ("cohort.positive=[2024-03-01, 1.0, null]", ("2024-03-01", "1.0", "null")),
        ("cohort.positive=['1']", ("1",)),
    ],
)
def test_labels_are_taken_as_written(override, values, tmp_path):
    recipe = read_recipe("egfr-clam", [override])
    assert recipe.cohort.positive == values
    path = tmp_path / "mine.yaml"
    path.write_text(recipe_text(recipe))
    assert read_recipe(str(path)) == recipe


def test_classes_ignored_labels_and_columns_are_taken_as_written():
    overrides = ["cohort.positive=[]", "cohort.negative=[]", "cohort.label=2024"]
    recipe = read_recipe(
        "egfr-clam", [*overrides, "cohort.classes={0: [0, no], 01: [1]}", "cohort.ignore=[2]"]
    )
    assert recipe.cohort.groups == (("0", ("0", "no")), ("01", ("1",)))
    assert (recipe.cohort.label, recipe.cohort.ignore) == ("2024", ("2",))


def test_files_are_sought_beside_the_recipe_and_those_of_an_override_from_here(
    tmp_path, monkeypatch
):
    text = builtin_recipes()["egfr-clam"].replace("weights: null", "weights: w/net.pt")
    (tmp_path / "deep").mkdir()
    path = tmp_path / "deep" / "mine.yaml"
    path.write_text(text)
    monkeypatch.chdir(tmp_path)
    name = str(path.relative_to(tmp_path))
    assert read_recipe(name).encoder.options["weights"] == str(tmp_path / "deep/w/net.pt")
    for override in ("encoder.weights=x.pt", "encoder={name: resnet50, weights: x.pt}"):
        assert read_recipe(name, [override]).encoder.options["weights"] == str(tmp_path / "x.pt")
    number = read_recipe("egfr-clam", ["encoder.weights=017"])
    assert number.encoder.options["weights"] == str(tmp_path / "017")
    copy = tmp_path / "run.yaml"
    copy.write_text(recipe_text(read_recipe(name)))
    assert read_recipe(str(copy)) == read_recipe(name)
    for nothing in ("null", "~", ""):
        recipe = read_recipe(name, [f"encoder.weights={nothing}"])
        assert recipe.encoder.options["weights"] is None


def test_files_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"recipe: x\ntitle: M\xfcller\n")
    with pytest.raises(RecipeError, match="line 2: not UTF-8 text"):
        read_recipe(str(path))
    path.write_bytes(b"a" * 2**20)
    with pytest.raises(RecipeError, match="longer than any recipe"):
        read_recipe(str(path))
    os.mkfifo(tmp_path / "pipe.yaml")
    for name in (str(tmp_path / "pipe.yaml"), "/dev/zero", "a\0b", "x" * 5000):
        with pytest.raises(RecipeError):
            read_recipe(name)


def test_an_override_may_be_neither_deep_nor_told_in_full():
    with pytest.raises(RecipeError, match="30 keys"):
        read_recipe("egfr-clam", [".".join("a" * 30) + "=1"])
    with pytest.raises(RecipeError) as caught:
        read_recipe("egfr-clam", ["train.epochs=[" + "1," * 9000])
    assert len(str(caught.value)) < 500


def test_built_in_recipes_do_not_depend_on_where_one_stands(tmp_path, monkeypatch):
    here = [recipe_text(read_recipe(name)) for name in builtin_recipes()]
    monkeypatch.chdir(tmp_path)
    assert [recipe_text(read_recipe(name)) for name in builtin_recipes()] == here
    assert Path.cwd() == tmp_path
