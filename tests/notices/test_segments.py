from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.notices.segments import segments

TEXTS = 10_000
SEED = 51_987  # the same texts each time
TEXT_CHARS_MAX = 460  # three parts of GSM-7, seven of UCS-2
NPM_S = 60  # a registry that has not answered by then is out of reach
CALCULATOR = "sms-segments-calculator@1.3.0"  # Twilio's own
COUNT = """
const { SegmentedMessage } = require('sms-segments-calculator');
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
console.log(JSON.stringify(texts.map((text) => new SegmentedMessage(text).segmentsCount)));
"""

SPANISH = (
    "Enviaste S/ 50.00 a Segundo C. el 23 nov, op. 100009. Si no fuiste tu llama ya a tu agencia "
    "Tu cuota de cafe vence el lunes Debes Recibiste saldo ahorro campaña año niño pingüino"
)
WORDS = SPANISH.split()
MARKS = (".", ",", ": ", "\n", "\r\n", "\r", " - ", "(775)", "*775#", '"', "'", "¿Eres tu?", "¡Si!")
EXTENDED = tuple("^{}\\[~]|€")
FOREIGN = (*"áíóúÁÍÓÚç«»“”‘’–—…ºª·`", "\t", "\u00a0")
EMOJI = ("😀", "💰", "🌽", "☕", "✅", "𝒜")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("ñ" * 160, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # An escape and its letter stay together: 76 pairs fill 152 of 153 septets.
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("a" * 152 + "€" + "a" * 151, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("ó" + "a" * 69, 1),
        ("ó" + "a" * 70, 2),
        ("ó" + "a" * 133, 2),
        ("ó" + "a" * 134, 3),
        # In UCS-2 an extension letter is one unit, and an emoji two that stay together.
        ("ó" + "€" * 69, 1),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 66, 2),
        ("😀" * 67, 3),
    ],
)
def test_a_text_is_counted_as_it_is_cut(text, count):
    assert segments(text) == count


def spanish(chance: random.Random) -> str:
    """A text of no use, in the letters and signs of a message."""
    kinds = [WORDS, MARKS, *chance.sample([EXTENDED, FOREIGN, EMOJI], chance.choice((0, 0, 1, 2)))]
    weights = [8, 3, 1, 1][: len(kinds)]
    length = chance.choice((20, 71, 135, 161, 202, 270, 307, 340, 400, TEXT_CHARS_MAX))
    text = ""
    while len(text) < length:
        (kind,) = chance.choices(kinds, weights)
        text += chance.choice(kind) + chance.choice((" ", "", ""))
    return text[: length - chance.randint(0, length // 20)]


@pytest.fixture(scope="module")
def calculator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with Twilio's calculator in it."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("not compared with Twilio's calculator: there is no node with npm here")
    folder = tmp_path_factory.mktemp("calculator")
    quietly = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock")
    try:
        installed = subprocess.run(
            ["npm", "install", *quietly, "--prefix", str(folder), CALCULATOR],
            capture_output=True,
            text=True,
            timeout=NPM_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"not compared with Twilio's calculator: npm had no answer in {NPM_S} s")
    if installed.returncode:
        why = installed.stderr.strip().splitlines()[-1:]
        pytest.skip(f"not compared with Twilio's calculator: npm could not install it: {why}")
    yield folder
    shutil.rmtree(folder)


def test_ten_thousand_spanish_texts_are_counted_as_twilio_counts_them(calculator: Path):
    """Families and flags of several emoji are not among them: the calculator never parts them, and
    nobody says that networks do not."""
    chance = random.Random(SEED)  # noqa: S311 - the same texts each time
    texts = [spanish(chance) for _ in range(TEXTS)]
    counted = subprocess.run(
        ["node", "-e", COUNT],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        cwd=calculator,
        check=True,
    )
    theirs = json.loads(counted.stdout)
    ours = [segments(text) for text in texts]

    differing = [
        (text, us, them) for text, us, them in zip(texts, ours, theirs, strict=True) if us != them
    ]
    assert differing[:3] == []
    spread = Counter(ours)
    assert min(spread[count] for count in range(1, 8)) > 100, spread  # enough of each to compare
