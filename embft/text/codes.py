"""Languages by their ISO 639-1 codes: what they are called, and the scripts that they are written in."""

from __future__ import annotations

NAMES = {
    "af": "Afrikaans", "ar": "Arabic", "az": "Azerbaijani", "be": "Belarusian", "bg": "Bulgarian", "bn": "Bengali",
    "bs": "Bosnian", "ca": "Catalan", "cs": "Czech", "cy": "Welsh", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "eo": "Esperanto", "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish",
    "fr": "French", "ga": "Irish", "gl": "Galician", "gu": "Gujarati", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian",
    "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian", "is": "Icelandic", "it": "Italian", "ja": "Japanese",
    "ka": "Georgian", "kk": "Kazakh", "km": "Khmer", "kn": "Kannada", "ko": "Korean", "ky": "Kyrgyz", "lo": "Lao",
    "lt": "Lithuanian", "lv": "Latvian", "mk": "Macedonian", "ml": "Malayalam", "mn": "Mongolian", "mr": "Marathi",
    "ms": "Malay", "my": "Burmese", "ne": "Nepali", "nl": "Dutch", "no": "Norwegian", "or": "Odia", "pa": "Punjabi",
    "pl": "Polish", "ps": "Pashto", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "si": "Sinhala", "sk": "Slovak",
    "sl": "Slovenian", "sq": "Albanian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "te": "Telugu",
    "th": "Thai", "tl": "Tagalog", "tr": "Turkish", "ug": "Uyghur", "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek",
    "vi": "Vietnamese", "yi": "Yiddish", "zh": "Chinese",
}  # fmt: skip
"""ISO 639-1 codes that a setting may name, and what they are called in messages."""
DEFAULTS = {
    "Latin": "en", "Cyrillic": "ru", "Arabic": "ar", "Devanagari": "hi", "Han": "zh", "Kana": "ja", "Hangul": "ko",
    "Greek": "el", "Hebrew": "he", "Armenian": "hy", "Bengali": "bn", "Gurmukhi": "pa", "Gujarati": "gu", "Odia": "or",
    "Tamil": "ta", "Telugu": "te", "Kannada": "kn", "Malayalam": "ml", "Sinhala": "si", "Thai": "th", "Lao": "lo",
    "Burmese": "my", "Khmer": "km", "Georgian": "ka", "Ethiopic": "am",
}  # fmt: skip
"""Script to the language that a text in it is taken for where nothing tells more."""
CANDIDATES = {
    "Cyrillic": "be bg kk ky mk mn ru sr uk",
    "Arabic": "ar fa ps ug ur",
    "Devanagari": "hi mr ne",
    "Latin": "af az bs ca cs cy da de en eo es et eu fi fr ga gl hr hu id is it lt lv ms nl no pl pt ro sk sl sq sr sv sw tl tr"
    " uz vi",
}
"""Script to the languages that the detector distinguishes."""
_SCRIPTS_OF = {
    "ja": ("Han", "Kana"),
    "ko": ("Hangul", "Han"),
    "sr": ("Cyrillic", "Latin"),
    **{code: (script,) for script, code in DEFAULTS.items() if code not in {"ja", "ko"}},
    **{
        code: (script,)
        for script, codes in CANDIDATES.items()
        for code in codes.split()
        if code != "sr" and code not in DEFAULTS.values()
    },
    "yi": ("Hebrew",),
}


def scripts_of(language: str) -> tuple[str, ...]:
    """Scripts that a language is written in; Latin where nothing else is known."""
    return _SCRIPTS_OF.get(language, ("Latin",))


def name_of(language: str) -> str:
    """What a language is called in a message."""
    return NAMES.get(language, language)
