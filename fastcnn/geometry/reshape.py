"""Shape arithmetic of reshaping: which target shape says the most of what a reshape means.

For example::

    (4, 5, 6) to (20, 6)         (-1, 6)            rows and columns become one, of any image
    (4, 5, 6) to (4, 5, 3, 2)    (0, 0, 3, 2)       the channels become two, of any image
    (20, 6) to (4, 5, 6)         (4, 5, 6)          of 20 pixels alone
"""

from collections.abc import Sequence


def free_target(old: Sequence[int], new: Sequence[int]) -> tuple[int, ...]:
    """Return the target shape of a Reshape that fits other sizes of images, too, where these dimensions tell one.

    Dimensions in front that stay are 0, as they come; the first that several become is -1, what is left. One that
    becomes several stays in numbers: they are as many for every image if it is the channels, and a sentence if not.
    """
    if len(new) == 1:
        return (-1,)
    target: list[int] = []
    i = j = 0
    while j < len(new):
        begin, left, right = i, old[i] if i < len(old) else 1, new[j]
        i, last = i + 1, j
        while left != right:
            if left < right:
                left, i = left * old[i], i + 1
            else:
                last += 1
                right *= new[last]
        stays, joins = last == j and i == begin + 1, last == j and i > begin + 1
        if stays and begin == j < len(old) and all(n == 0 for n in target):
            target.append(0)
        elif joins and -1 not in target:
            target.append(-1)
        else:
            target += new[j:last + 1]
        j = last + 1
    return tuple(target)
