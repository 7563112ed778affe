"""Claims of the chapter on words: of each draw's texts, and of a transformer trained anew."""

import numpy as np

from attention_pooling.explorer.words import attended
from attention_pooling.transformer import read

from . import says


def layers(weight_back, model):
    """Return the layer-1 weights on the word before and on the one before that, by head."""
    return weight_back(model, 1), weight_back(model, 2)


@says("It finds the place nearly always.")
def it_is_right(share_right, trained_here, model):
    return min(share_right(trained_here), share_right(model)) > 0.97


@says(
    "Chance had little to do with it: of twenty runs from other random numbers, nineteen came to "
    "this, and to the heads that follow, within 1,500 steps, and the one that was late within "
    "2,000.",
)
def heads_form(share_right, weight_back, in_common, trained_here):
    before = weight_back(trained_here, 1).max()
    alike = in_common(trained_here, 0.3).max()
    return share_right(trained_here) > 0.97 and before > 0.9 and alike > 0.65


@says(
    "In the first layer one head attends to the word before and the other, less sharply, to the "
    "one before that; in the second layer one attends to what followed the last time, and the "
    "other to the very first place until it joins in.",
)
def heads_share_the_work(weight_back, in_common, on_first_place, repeats, place, trained_here):
    one, two = layers(weight_back, trained_here)
    before, after = (
        on_first_place(trained_here, repeats & times) for times in (place < 24, place >= 24)
    )
    matching = in_common(trained_here, 0.3).argmax()
    return (
        one.max() > 0.95
        and 0.4 < two[1 - one.argmax()] < 0.9
        and matching != before.argmax()
        and before.max() > 0.6
        and after.max() < 0.1
    )


@says(
    "Without the words the weights one and two back hardly change: the first layer goes by "
    "positions.",
)
def first_layer_goes_by_positions(weight_back, trained_here):
    wordless = trained_here._replace(embedding=0 * trained_here.embedding)
    changed = np.subtract(layers(weight_back, wordless), layers(weight_back, trained_here))
    return np.abs(changed).max() < 0.05


@says("One head of the first layer gives all its weight to the word before.")
def one_head_gives_all(weight_back, trained_here, model):
    return min(weight_back(each, 1).max().round(2) for each in (trained_here, model)) >= 0.98


@says(
    "Four triangular heatmaps of 42 by 42 places. Head 1.1 has a sharp line directly below the "
    "diagonal, head 1.2 one two places below it that dissolves in the second half. Head 2.1 has "
    "lines parallel to the diagonal, 13 and 27 places below it, from the second round on. Head 2.2 "
    "has a vertical line at the first place that ends at place 23, and parallel lines after that.",
)
def picture_of_heads(weights):
    (sharp, loose), (matches, first) = weights
    two_back = np.diagonal(loose, -2)
    return (
        np.diagonal(sharp, -1).mean() > 0.95
        and two_back[:15].mean() > 0.8 > 0.4 > two_back[30:].mean()
        and np.diagonal(matches, -13)[1:].mean() + np.diagonal(matches, -27)[1:].mean() > 0.7
        and first[3:24, 0].mean() > 0.9 > 0.1 > first[24:, 0].mean()
        and np.diagonal(first, -27)[1:].mean() > 0.4
    )


def by_length(model, symbols, lengths, seen):
    second = read(model, symbols).weights[:, 1].mean(axis=1)
    return [second[seen & (lengths == length)].mean() for length in range(5)]


@says(
    "A match of two words weighs several times as much as a match of one: the first layer's other "
    "head, which looks two words back, has a use after all.",
    "For three or four words it is not even twice as much as for two, since nothing in the first "
    "layer looks further.",
)
def two_words_are_enough(trained_here, symbols, lengths, seen):
    _, one, two, three, four = by_length(trained_here, symbols, lengths, seen)
    return two > 3 * one and max(three, four) < 2 * two


@says(
    "The better of the two heads has about three quarters of its weight where the hand-made "
    "kernel with a narrow width has it, and less with a wide one.",
)
def head_is_like_the_kernel(in_common, trained_here):
    best = in_common(trained_here, 0.3).max()
    return 0.68 < best < 0.82 and in_common(trained_here, 3).max() < 0.7 * best


@says("What they answer is closer than their weights are:")
def answers_agree(answers, in_common, trained_here):
    return answers(trained_here)[0] > 0.9 > in_common(trained_here, 0.3).max()


@says("The learned one is the better of the two.")
def learned_is_better(answers, share_right, trained_here, model):
    return all(answers(each)[1] < share_right(each) for each in (trained_here, model))


@says(
    "On average $b$ gets more than twice as much as $c$, and both together about nine tenths.",
)
def votes_on_average(shares, orders, trained_here):
    b, c = np.mean([shares(trained_here, order) for order in orders], axis=(0, 1))
    return b > 2 * c and 0.82 < b + c < 0.97


@says(
    "In most of the single texts one of the two gets nearly everything, and the order counts: the "
    "earlier of the occurrences weigh more.",
)
def single_texts_are_clear_cut(shares, orders, trained_here):
    each = [shares(trained_here, order) for order in orders]
    clear = np.mean([share.max(axis=1) > 0.8 for share in each])
    b = [share[:, 0].mean() for share in each]
    return clear > 0.5 and b[0] > b[1] and b[0] > b[2]


@says(
    "Through the window the hand-made kernel is right about half of the time, and the transformer "
    "somewhat less often.",
)
def window_is_narrow(right_through_window, trained_here):
    learned, by_hand = right_through_window(trained_here)
    return 0.45 < by_hand < 0.55 and 0.33 < learned < by_hand


@says(
    'At "killed the" it is wrong: head 2.1 attends most to "rat", as the kernel does, but head 2.2 '
    'attends to "malt", and in the sum of the two "malt" prevails.',
)
def the_other_head_prevails(words):
    looks = {head: attended(words[:84], 69, head) for head in ("match", "2.1", "2.2")}
    best = [words[np.nanargmax(weights)] for weights, _ in looks.values()]
    _, expected = looks["2.1"]
    return best == ["rat", "rat", "malt"] and max(expected, key=expected.get) == "malt"


@says('Without the positions there is no "before" any more, and the transformer is lost.')
def positions_are_needed(share_right, weight_back, trained_here):
    blind = trained_here._replace(positions=0 * trained_here.positions)
    return share_right(blind) < 0.25 and weight_back(blind, 1).max() < 0.2


@says("For every symbol the highest score goes to the symbol itself.")
def values_are_one_hot(copies, trained_here):
    return min(copies(trained_here, head) for head in (0, 1)) == 48


@says(
    "One head of the second layer turns to the first place of the text, and the transformer says "
    "with conviction that the first symbol comes next.",
)
def it_starts_over(at_a_loss, trained_here):
    on_first, said = at_a_loss(trained_here)
    return on_first.max() > 0.85 and said > 0.6


@says(
    "Where the texts repeat, both heads of the second layer put most of their weight on matching "
    "places.",
)
def both_attend_to_matches(trained_here, symbols, lengths, repeats):
    second = read(trained_here, symbols).weights[:, 1]
    on_matches = (second * (lengths > 0)[:, None]).sum(axis=-1).transpose(0, 2, 1)
    return on_matches[repeats].mean(axis=0).min() > 0.5


@says(
    "Without one of them a quarter of the answers is lost, without the other next to nothing.",
)
def one_head_matters(without, share_right, trained_here):
    left = sorted(share_right(without(trained_here, 1, head)) for head in (0, 1))
    return 0.68 < left[0] < 0.82 and left[1] > 0.93


@says(
    "For about a third of these symbols one head argues for them and the other against.",
)
def heads_pull_apart(pulls, short, trained_here):
    one, other = pulls(trained_here).transpose(1, 0, 2, 3)[:, short]
    return 0.25 < np.mean(one * other < 0) < 0.45
