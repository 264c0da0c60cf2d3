"""The words that make a question, by language: what the kind of a question is told by.

English and Chinese have finer rules where they are used (`embft.questions.traits`, `embft.dataset.traits`).
"""

from __future__ import annotations

import re
from functools import cache

ASKS = ("how much or many", "why", "how", "who", "when or where", "what or which", "yes or no")
"""What a question can ask for; looked for in this order."""
_WORDS: dict[str, tuple[str, ...]] = {
    "de": (
        r"wie ?(?:viele?|lange|oft|groß|weit|hoch|alt)", "warum|weshalb|wieso", "wie", "wer|wen|wem|wessen",
        "wann|wo|wohin|woher", "was|welche[rsnm]?|womit|wofür|wodurch|woran|worin",
        "^(?:ist|sind|war|kann|können|darf|muss|soll|hat|haben|gibt|wird|werden)",
    ),
    "fr": (
        "combien", "pourquoi", "comment", "qui", "quand|où", "que|qu['’]est|quoi|quel(?:le)?s?|lequel|laquelle",
        "^(?:est-ce|peut-on|est-il|est-elle|faut-il|y a-t-il|doit-on)",
    ),
    "es": (
        "cu[aá]nt[oa]s?", "por qué", "c[oó]mo", "qui[eé]n(?:es)?", "cu[aá]ndo|d[oó]nde", "qué|cu[aá]l(?:es)?",
        "^(?:es|son|puede|se puede|hay|debe|tiene)",
    ),
    "it": (
        "quant[oaie]", "perch[eé]", "come", "chi", "quando|dove", "che|cosa|qual[ei]?", "^(?:è|sono|può|si può|c'è|deve|ha)",
    ),
    "pt": (
        "quant[oa]s?", "por ?qu[eê]", "como", "quem", "quando|onde", "o que|qual|quais|que", "^(?:é|são|pode|posso|há|deve|tem)",
    ),
    "nl": (
        "hoe ?(?:veel|lang|vaak|groot)", "waarom", "hoe", "wie", "wanneer|waar", "wat|welke?",
        "^(?:is|zijn|kan|kunnen|mag|moet|heeft|wordt)",
    ),
    "pl": ("ile|ilu", "dlaczego|czemu", "jak", "kto|kogo|komu", "kiedy|gdzie", "co|jaki[em]?|jaka|która|który|które", "^czy"),
    "ru": ("сколько", "почему|зачем", "как", "кто|кого|кому", "когда|где|куда", "что|чем|как(?:ой|ая|ие|ое)|котор\\w+", "ли"),
    "sv": ("hur (?:många|mycket|länge|ofta)", "varför", "hur", "vem", "när|var", "vad|vilk(?:e[nt]|a)",
           "^(?:är|kan|får|ska|har)"),
    "tr": ("kaç|ne kadar", "neden|niçin", "nasıl", "kim\\w*", "ne zaman|nerede\\w*", "ne|nedir|hangi", "m[ıiuü](?:dır|dir)?"),
}  # fmt: skip
_WITHOUT_SPACES: dict[str, tuple[str, ...]] = {
    "ja": (
        "いくつ|いくら|何[個回台件年日]|どのくらい", "なぜ|どうして|理由", "どうやって|どのように|方法|やり方",
        "誰|だれ", "いつ|どこ", "何|なに|どれ|どの|どんな", "か[？?。]?$",
    ),
    "ko": (
        "몇|얼마", "왜|이유", "어떻게|방법", "누구|누가", "언제|어디",
        "무엇|뭐|어떤|어느|무슨|이?란\\??$", "(?:까|나요|가요)[?？]?$",
    ),
}  # fmt: skip


@cache
def _patterns(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    bare = _WITHOUT_SPACES.get(language)
    words: tuple[str, ...] = bare or _WORDS.get(language, ())
    return tuple(
        (ask, re.compile(one if bare else rf"(?<!\w)(?:{one})(?!\w)", re.IGNORECASE))
        for ask, one in zip(ASKS, words, strict=False)
    )


def asked_for(question: str, language: str) -> str | None:
    """Which of `ASKS` a question is; None where it has no word for one, or the language's words are not known."""
    text = question.strip()
    return next((ask for ask, pattern in _patterns(language) if pattern.search(text)), None)


def knows(language: str) -> bool:
    """Whether the question words of a language are known."""
    return language in _WORDS or language in _WITHOUT_SPACES
