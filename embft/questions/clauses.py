"""What a sentence is turned into: a clause of it, a plain question, or its rarest words, by the forms of its language."""

from __future__ import annotations

import re
from collections.abc import Sequence

from embft.questions.sentences import NUMBERING, cut_to, is_chinese
from embft.text.content_words import STOP_WORDS, content_words
from embft.text.scripts import MARKS
from embft.text.stop_words import stop_words

Rarity = dict[str, float]
"""Word in lower case to its inverse document frequency."""
_FEWEST, _MOST = 5, 60
"""Words that a sentence must have to be asked about."""
_QUERY_WORDS = 14
_QUERY_CHARACTERS = 25
_QUERY_CHARACTERS_OF_ALL = 40
"""Kana and Thai letters say less each than Han characters."""
_KEYWORDS = 6
_WITHOUT_SPACES = {"ja", "km", "lo", "my", "th", "zh"}
_CAPITALS = {"de"}
"""Languages that write nouns with a capital."""
_LEADS = re.compile(
    r"^(?:however|therefore|thus|hence|moreover|furthermore|in addition|additionally|also|as a result|for example|"
    r"for instance|in particular|in general|specifically|accordingly|consequently|similarly|finally|note that|"
    r"in other words|that is|and|but|or|so|if so|otherwise|then|instead)\b,?\s+",
    re.IGNORECASE,
)
_LEADS_ZH = re.compile(
    r"^(?:但是|但|因此|所以|此外|另外|同时|其中|例如|然而|并且|而且|即|如果|"
    r"第[一二三四五六七八九十百千零〇0-9]+[条章节款项][、 \u3000]*)[，,]?"
)
_LEADS_OF = {
    "de": r"(?:allerdings|jedoch|daher|deshalb|außerdem|zudem|zum Beispiel|beispielsweise|insbesondere|und|aber|oder|dann)\b",
    "fr": r"(?:cependant|toutefois|donc|ainsi|de plus|en outre|par exemple|en particulier|et|mais|ou|car|ensuite)\b",
    "es": r"(?:sin embargo|por lo tanto|además|por ejemplo|en particular|y|pero|o|así|entonces|asimismo)\b",
    "it": r"(?:tuttavia|quindi|inoltre|per esempio|ad esempio|in particolare|e|ma|o|così|poi)\b",
    "pt": r"(?:no entanto|portanto|além disso|por exemplo|em particular|e|mas|ou|assim|então)\b",
    "nl": r"(?:echter|daarom|bovendien|bijvoorbeeld|en|maar|of|dus|dan)\b",
    "ja": r"(?:しかし|また|そして|例えば|たとえば|なお|ただし|さらに|従って|したがって|そのため|つまり|これは|それは)",
    "ko": r"(?:그러나|하지만|또한|그리고|예를 들어|따라서|그래서|다만|즉|이것은)\b",
}
_PRONOUN = re.compile(r"^(?:it|this|that|these|those|they|we|he|she|such|our|its|their)\b\s*", re.IGNORECASE)
_COPULA = re.compile(
    r"^(?:the |an? )?([\w\s'’-]{3,60}?)\s+(is|are)\s+(?!not\b)(?:an?|the|used|defined|called|made|based)\b",
    re.IGNORECASE,
)
_COPULA_ZH = re.compile(r"^(?![这那其它该本此])([\u3400-\u9fff]{2,14}?)(?:是指|是|指)")
_DEFINITIONS = {
    "de": (r"^(?:(?:der|die|das|ein|eine)\s+)?([\w\s'’-]{3,50}?)\s+ist\s+(?:ein|eine|der|die|das)\b", "was ist {}"),
    "fr": (r"^(?:(?:le|la|un|une)\s+|l['’])?([\w\s'’-]{3,50}?)\s+est\s+(?:une?|le|la)\b", "qu'est-ce que {}"),
    "es": (r"^(?:(?:el|la|un|una)\s+)?([\w\s'’-]{3,50}?)\s+es\s+(?:una?|el|la)\b", "qué es {}"),
    "it": (r"^(?:(?:il|la|lo|un|una)\s+|l['’])?([\w\s'’-]{3,50}?)\s+è\s+(?:una?|uno|il|la)\b", "che cos'è {}"),
    "pt": (r"^(?:(?:o|a|um|uma)\s+)?([\w\s'’-]{3,50}?)\s+é\s+(?:uma?|o|a)\b", "o que é {}"),
    "nl": (r"^(?:(?:de|het|een)\s+)?([\w\s'’-]{3,50}?)\s+is\s+(?:een|de|het)\b", "wat is {}"),
    "ja": (
        r"^(?!これ|それ|この|その)([^、。\s]{2,20}?)(?:とは|は、?)[^。]*(?:です|である|を指す|を指します|のこと)[。．]?$",
        "{}とは何ですか",
    ),
    "ko": (r"^(?!이것|그것)([^,.\s]{2,20}?)(?:이?란|은|는)\s[^.]*(?:이다|입니다)\.?$", "{} 무엇인가"),
}
"""Language to the form of a definition and the question that it answers."""
_POINTING = re.compile(
    r"(?:dies\w*|jen\w*|es|er|sie|wir|man|hier|ce|cela|ceci|il|elle|nous|on|ceux|este|esta|esto|ese|eso|él|ella|questo|questa|"
    r"quello|isto|isso|ele|ela|dit|dat|deze|die|hij|zij|het)",
    re.IGNORECASE,
)
"""Subjects that say nothing without the sentence before."""
_FRAGMENT = re.compile(
    r"^(?:and|or|but|of|as|than|at|to|also|is|are|was|were|be|been|may|might|can|could|will|would|shall|should|must|have|"
    r"has|had|do|does|did|not limited to|not)\b,?\s*",
    re.IGNORECASE,
)
_MARKUP = str.maketrans("", "", '*`"“”|')
_MARKUP_OF_ALL = str.maketrans("", "", '*`"“”„«»「」『』|')
_BREAKS = re.compile(r"[;:()（）；：]|\s[–—-]\s|,\s+(?:which|where|while|and|but|or|as|because|including|such)\b")
_BREAKS_ZH = re.compile(r"[，；：。、！？（）]")
_BREAKS_OF_ALL = re.compile(r"[;:()（）；：،؛;·。、！？।॥።፤]|\s[–—-]\s|[,，]\s")
_HEADING = re.compile(r"(?:\.\s?){4,}\d*\s*$|…{2,}\s*\d*\s*$")
_STOP = re.compile(r"[.!?…。！？।॥۔؟።፧။៕։:;；：][\"”’“»)\]」』）]*$")
_BULLET = re.compile(r"^\s*[-•*–—・·◦‣○]\s+")
_PARTICLE = re.compile("^[のでをにがはとも](?=[^\u3041-\u309f])")
"""A Japanese particle that a clause begins with once the words before it are gone."""
_MARK = re.compile(f"[{MARKS}]")


def askable(sentence: str, words: Sequence[str], language: str) -> bool:
    """A sentence of prose: no table row, signature, grammar rule, heading or line of a table of contents.

    Args:
        sentence: As it stands in the chunk.
        words: Its content words.
        language: Of its chunk.
    """
    if _HEADING.search(sentence) or (NUMBERING.search(sentence) and not _STOP.search(sentence)):
        return False
    if len(words) < 3 or "::=" in sentence or ">>>" in sentence:
        return False
    if is_chinese(sentence) and language in {"en", "zh"}:
        return 8 <= len(sentence) <= 200
    letters = sum(character.isalpha() or character.isspace() for character in sentence) + len(_MARK.findall(sentence))
    if language in _WITHOUT_SPACES and not sentence.isascii():
        own = sum(character > "\u0250" and character.isalpha() for character in sentence)
        return 12 <= len(sentence) <= 250 and letters >= 0.75 * len(sentence) and 2 * own >= letters
    tokens = sentence.split()
    if language not in {"en", "zh"} and not _STOP.search(sentence):
        return False  # a heading is no sentence, however long
    lower = sum(not token[0].isupper() and token[0].isalpha() for token in tokens)
    fewest = 3 if language == "ko" else _FEWEST
    least = 0.4 if language in {"en", "zh"} else 0.3
    return fewest <= len(tokens) <= _MOST and letters >= 0.75 * len(sentence) and lower >= least * len(tokens)


def clause(sentence: str, rarity: Rarity, language: str) -> str:
    """The part of a sentence that says most, as a statement or, where grammar allows it, as a question."""
    if language not in {"en", "zh"}:
        return _clause_of_all(sentence, rarity, language)
    return _clause_zh(sentence, rarity) if is_chinese(sentence) else _clause_en(sentence, rarity)


def keywords(sentence: str, rarity: Rarity, language: str) -> str:
    """The rarest words of a sentence in their order, lower-cased: what people type into a search box."""
    if language in {"en", "zh"}:
        leads = _LEADS_ZH if is_chinese(sentence) else _LEADS
        plain = leads.sub("", sentence).translate(_MARKUP)
    else:
        plain = sentence.translate(_MARKUP_OF_ALL)
    words = list(dict.fromkeys(word.lower() for word in content_words(plain, language)))
    kept = set(sorted(words, key=lambda word: -rarity.get(word, 0.0))[:_KEYWORDS])
    chosen = [word for word in words if word in kept]
    return " ".join(chosen) if len(chosen) >= 3 else ""


def _clause_en(sentence: str, rarity: Rarity) -> str:
    text = _LEADS.sub("", _LEADS.sub("", sentence)).strip()
    if match := _COPULA.match(text):
        subject = match.group(1).strip()
        if not _PRONOUN.match(subject) and content_words(subject):
            return f"what {match.group(2).lower()} {_uncapital(subject)}"
    clauses = [_shorn(part) for part in _BREAKS.split(text) if part and len(part.split()) >= 4]
    best = max(clauses or [_shorn(text)], key=lambda part: _weight(part, rarity))
    words = best.split()[:_QUERY_WORDS]
    while words and words[-1].lower().strip(",.") in STOP_WORDS:
        words.pop()
    query = " ".join(words).strip(" ,.;:")
    return _uncapital(query) if len(words) >= 3 and len(content_words(query)) >= 2 else ""


def _shorn(part: str) -> str:
    """A clause without the pronoun, verbs and particles that it begins with once its sentence is gone, nor markup."""
    text = " ".join(_PRONOUN.sub("", part.strip()).translate(_MARKUP).split())
    while (shorter := _FRAGMENT.sub("", text)) != text:
        text = shorter
    return text.strip(" ,.")


def _clause_zh(sentence: str, rarity: Rarity) -> str:
    text = _LEADS_ZH.sub("", sentence).strip()
    if match := _COPULA_ZH.match(text):
        return f"什么是{match.group(1)}"
    clauses = [part for part in _BREAKS_ZH.split(text) if len(part) >= 5]
    best = cut_to(max(clauses or [text], key=lambda part: _weight(part, rarity)), _QUERY_CHARACTERS)
    return f"{best}有什么规定" if best.endswith(("的", "时")) else best


def _clause_of_all(sentence: str, rarity: Rarity, language: str) -> str:
    text = " ".join(_BULLET.sub("", sentence).translate(_MARKUP_OF_ALL).split())
    if lead := _LEADS_OF.get(language):
        text = re.sub(rf"^{lead}[,、]?\s*", "", text, flags=re.IGNORECASE)
    if question := _definition(text, language):
        return question
    unspaced = language in _WITHOUT_SPACES
    longest = 12 if unspaced else 4
    parts = [part.strip() for part in _BREAKS_OF_ALL.split(text)]
    clauses = [part for part in parts if (len(part) if unspaced else len(part.split())) >= longest]
    best = max(clauses or [text], key=lambda part: _weight(part, rarity, language))
    if unspaced:
        query = _PARTICLE.sub("", cut_to(best, _QUERY_CHARACTERS_OF_ALL, language).strip(" 。、,.;:!?！？"))
        if language == "ja":
            query = query.rstrip("はがを")
        return query if len(content_words(query, language)) >= 2 else ""
    words = best.split()[:_QUERY_WORDS]
    stop = stop_words(language)
    while words and words[-1].lower().strip(",.") in stop:
        words.pop()
    query = " ".join(words).strip(" ,.;:!?…؟۔।")
    enough = len(words) >= (2 if language == "ko" else 3) and len(content_words(query, language)) >= 2
    return _begun_small(query, language) if enough else ""


def _definition(text: str, language: str) -> str:
    """The question that a definition answers; empty where the sentence is none."""
    pattern, question = _DEFINITIONS.get(language, (None, ""))
    match = re.match(pattern, text, re.IGNORECASE) if pattern else None
    subject = match.group(1).strip() if match else ""
    if not subject or _POINTING.match(subject) or len(subject.split()) > 4 or not content_words(subject, language):
        return ""
    if language == "ko":
        subject += "이란" if (ord(subject[-1]) - 0xAC00) % 28 else "란"  # the particle after a consonant, or a vowel
    return question.format(_begun_small(subject, language))


def _begun_small(text: str, language: str) -> str:
    """A query as it is typed: the first word begins small unless it may be a noun or a name."""
    first = text.split(" ", 1)[0]
    return text if language in _CAPITALS and first.lower() not in stop_words(language) else _uncapital(text)


def _weight(text: str, rarity: Rarity, language: str = "en") -> float:
    return sum(rarity.get(word.lower(), 0.0) for word in set(content_words(text, language)))


def _uncapital(text: str) -> str:
    """Lower-cases the first letter, unless the first word is a name or an acronym."""
    first = text.split(" ", 1)[0]
    return text if sum(character.isupper() for character in first) > 1 else text[:1].lower() + text[1:]
