import random

from hypothesis import given, settings
from hypothesis import strategies as st

from embft.dataset.near_copies import near_copies
from embft.text.terms import plain_words


def words(count: int, seed: int = 0) -> list[str]:
    draw = random.Random(seed)
    return [f"word{draw.randrange(5000)}" for _ in range(count)]


def test_equal_words_are_a_copy_whatever_case_and_punctuation():
    (found,) = near_copies({"a": "Stop the loop!", "b": "stop -- the LOOP", "c": "go on"}, similarity=0.9)
    assert (found.left, found.right, found.similarity) == ("a", "b", 1.0)


def test_a_changed_sentence_is_a_near_copy_and_its_similarity_is_counted_by_hand():
    original = [f"w{place}" for place in range(100)]  # 98 runs of three
    changed = [*original[:50], "X", *original[51:]]  # three runs differ: 95 of 98 + 3 in common
    (found,) = near_copies({"a": " ".join(original)}, {"b": " ".join(changed)}, similarity=0.7)
    assert abs(found.similarity - 95 / 101) < 1e-6


def test_texts_of_the_same_words_in_another_order_are_no_copies():
    some = words(120)
    assert not near_copies({"a": " ".join(some), "b": " ".join(reversed(some))}, similarity=0.5)


def test_chinese_is_compared_by_characters():
    law = "劳动者拒绝用人单位管理人员违章指挥强令冒险作业的不视为违反劳动合同"
    (found,) = near_copies({"a": law}, {"b": law.replace("冒险", "危险")}, similarity=0.7)
    assert found.similarity < 1


def test_hundreds_of_copies_of_one_text_are_all_found():
    text = " ".join(words(60))
    assert len(near_copies({f"c{at:03d}": text for at in range(500)}, similarity=0.7)) == 499


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text("ab c", min_size=0, max_size=60), max_size=8))
def test_pairs_within_equal_a_brute_force_search(texts):
    named = {str(at): text for at, text in enumerate(texts)}

    def runs(text: str) -> set[tuple[str, ...]]:
        some = plain_words(text)
        return {tuple(some[at : at + 2]) for at in range(len(some) - 1)}

    found = {(pair.left, pair.right) for pair in near_copies(named, similarity=0.6, run=2, fewest=1)}
    for left, right in found:
        a, b = runs(named[left]), runs(named[right])
        assert plain_words(named[left]) == plain_words(named[right]) or len(a & b) / len(a | b) >= 0.6
    distinct = {" ".join(plain_words(text)): key for key, text in reversed(named.items()) if plain_words(text)}
    for one in distinct.values():
        for two in distinct.values():
            a, b = runs(named[one]), runs(named[two])
            if int(one) < int(two) and a and b and len(a & b) / len(a | b) >= 0.6:
                assert (one, two) in found


def test_every_copy_of_a_text_is_paired_with_what_is_nearly_it():
    words = [f"word{number}" for number in range(60)]
    text = " ".join(words)
    left, right = {"a": text, "b": text.upper()}, {"c": " ".join([*words[:58], "other", "end"]), "d": "nothing of it"}
    assert {(found.left, found.right) for found in near_copies(left, right, similarity=0.7)} == {("a", "c"), ("b", "c")}
    assert {(found.left, found.right) for found in near_copies(right, left, similarity=0.7)} == {("c", "a"), ("c", "b")}
