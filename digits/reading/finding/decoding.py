"""The numbers that the finder's maps are decoded by."""

from typing import NamedTuple


class Decoding(NamedTuple):
    """The numbers that decoding goes by; the finder's card has them as `learning/finder/decoding.py` fitted them."""

    centre: float = -1.4  # logit from which a hilltop is a centre
    ink: float = -1.2  # logit from which a place may hold ink
    reach: float = 0.35  # ink surely belongs to a centre where its way ends within this share of the digit's size
    best_size: float = 80.0  # pixels: a digit's ink is taken from the look in which it is nearest to this
    largest: float = 260.0  # pixels: what seems larger is seen better by the next farther look
    same: float = 0.5  # two boxes that have so much in common of what either covers are the same digit
    solid: float = 102.0  # of 255: what a digit's box is drawn round
    maybe: float = 0.2  # probability of ink from which a pixel may be a stroke
    sure: float = 0.5  # share of a digit's highest probability of ink from which a pixel surely is a stroke
    paper: float = 0.05  # probability of ink below which a pixel is paper
    faintest: float = 4.0  # grey levels between strokes and paper that the picture's own grey can be trusted from
    scarce: float = 0.02  # share of paper about a pixel without which its tone is not known
    weak: float = 0.85  # mean probability of ink below which a digit's strokes are followed by their grey as well
    room: float = 0.8  # of its size: how far about its centre the strokes of a digit with weak ink are followed

    @classmethod
    def of(cls, card: dict) -> "Decoding":
        """Return the numbers of a finder's card, usual ones where it names none."""
        return cls(**{name: float(value) for name, value in card.get("decoding", {}).items() if name in cls._fields})
