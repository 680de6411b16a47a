"""Writes international.json: what sacrebleu 2.6.0 gives with its tokenizer "intl", called as lm-eval's truthfulqa does.

    python3 international_fixtures.py > international.json
"""

import json
import sys

import sacrebleu
from sacrebleu.tokenizers.tokenizer_intl import TokenizerV14International

from translation_fixtures import CASE, EMPTY, MARKS

assert sacrebleu.__version__ == "2.6.0"

# Numbers and marks of other scripts, symbols, marks that touch.
MORE = [
    ("x²,y ½.z Ⅷ;Ⅸ ①,② ٣،٤", "x ² , y ½ . z Ⅷ;Ⅸ"),
    ("1,000.5 a,b 1,b a,1 ,1 1, ,,1,,", "1,000.5 a , b 1 , b a , 1"),
    ("$5 €5 5% a+b=c <x> ^y `z |w ~v", "$ 5 € 5 5 % a + b = c"),
    ("“Hello,” she said—“wait…”", "\" Hello , \" she said - \" wait ... \""),
    ("「日本」、語。１２，３", "「 日本 」 、 語 。 １２，３"),
    ("a‿b c﹏d e_f g-h i‐j", "a b c d e f g h i j"),
    ("The answer is 42. I have no comment.", "The answer is 42 ."),
    ("😀,😀 👍🏽! ©2024® ™", "😀 , 😀 👍🏽 ! © 2024 ®"),
]

tokenizer = TokenizerV14International()
pairs = [pair[:2] for pair in MARKS + CASE + EMPTY + MORE] + [("", MORE[6][1])]
json.dump(
    [
        {
            "hypothesis": hypothesis,
            "reference": reference,
            "tokens": tokenizer(hypothesis.rstrip()).split(),
            "score": sacrebleu.corpus_bleu(
                [hypothesis], [[reference]], smooth_method="exp", smooth_value=0.0, force=False, lowercase=False,
                tokenize="intl", use_effective_order=False,
            ).score,
        }
        for hypothesis, reference in pairs
    ],
    sys.stdout, indent=0,
)
print()
